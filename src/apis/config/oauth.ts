/**
 * The OAuth section of the configuration as the console reads it: durations in nanoseconds, nothing secret.
 *
 * The original leaks the private key under the name "-"; there is no such field here.
 */
import { type OAuthOptions } from '../../configuration/options.js'

const NANOSECONDS = 1e6

/** @param published what clients are to read in place of written options of a provider, by its name */
export function visibleOAuthOptions(
  options: OAuthOptions,
  published: (provider: string) => Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const { issuer, signKey, identityProviders, clients } = options
  return {
    issuer,
    ...(signKey !== '' && { signKey }),
    ...(identityProviders.length > 0 && {
      identityProviders: identityProviders.map(
        ({ name, mappingMethod, disableLoginConfirmation, type, provider }) => ({
          name,
          mappingMethod,
          disableLoginConfirmation,
          type,
          provider: withoutSecrets({ ...provider, ...published(name) }),
        }),
      ),
    }),
    ...(clients.length > 0 && {
      clients: clients.map((client) => ({
        name: client.name,
        ...(client.respondWithChallenges && { respondWithChallenges: true }),
        ...(client.redirectURIs.length > 0 && { redirectURIs: client.redirectURIs }),
        ...(client.grantMethod !== '' && { grantMethod: client.grantMethod }),
        ...(client.scopeRestrictions.length > 0 && { scopeRestrictions: client.scopeRestrictions }),
      })),
    }),
    accessTokenMaxAge: options.accessTokenMaxAge * NANOSECONDS,
    accessTokenInactivityTimeout: options.accessTokenInactivityTimeout * NANOSECONDS,
  }
}

/** Drops every key that sounds secret, in maps and in lists of maps. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets)
  if (value === null || typeof value !== 'object') return value
  const kept = Object.entries(value).filter(([key]) => !/password|secret/i.test(key))
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutSecrets(inner)]))
}
