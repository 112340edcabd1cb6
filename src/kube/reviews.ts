/** Gives the reviews, which compute an answer and store nothing, to the definitions that stand for them. */
import { type TokenAuthenticator } from './authentication/index.js'
import { tokenRequest, tokenReview } from './authentication/reviews.js'
import { type ServiceAccountTokens } from './authentication/serviceaccounts.js'
import { type Review } from './authorization/reviews.js'
import { type Objects } from './objects.js'
import { type ResourceDefinition } from './registry/strategy.js'

export interface ReviewDeps {
  /** Of authorization.k8s.io, by resource. */
  reviews: Readonly<Record<string, Review>>
  authenticateToken: TokenAuthenticator
  tokens: ServiceAccountTokens
  objects: Objects
}

export function withReviews(
  definitions: readonly ResourceDefinition[],
  { reviews, authenticateToken, tokens, objects }: ReviewDeps,
): ResourceDefinition[] {
  const request = tokenRequest(tokens, objects)
  return definitions.map((definition) => {
    const { group, resource } = definition
    const review =
      group === 'authorization.k8s.io'
        ? reviews[resource]
        : resource === 'tokenreviews'
          ? tokenReview(authenticateToken)
          : undefined
    if (review) return { ...definition, review }
    if (group !== '' || resource !== 'serviceaccounts') return definition
    return {
      ...definition,
      subresources: definition.subresources.map((subresource) =>
        subresource.name === 'token' ? { ...subresource, create: request } : subresource,
      ),
    }
  })
}
