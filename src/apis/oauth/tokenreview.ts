/**
 * `POST /oauth/authenticate`: tells a Kubernetes API server or Jenkins whose token it has been shown.
 *
 * A token that is no good is answered 400 with the reason as text, not with `authenticated: false`.
 */
import { Type } from '../../apimachinery/schema/type.js'
import { badRequest } from '../../apimachinery/errors/index.js'
import { LoginError } from '../../authentication/login.js'
import { TokenError } from '../../authentication/tokens/jwt.js'
import { route, type Route } from '../../serving/route.js'
import { type OAuthDeps } from './deps.js'

const TokenReview = Type.Object({
  apiVersion: Type.Optional(Type.String()),
  kind: Type.Optional(Type.String()),
  spec: Type.Optional(Type.Object({ token: Type.Optional(Type.String()) })),
})

export function tokenReviewRoute({ sessions, users }: OAuthDeps): Route {
  return route({
    method: 'POST',
    path: '/authenticate',
    summary: 'Review a token, in the form of the Kubernetes token webhook.',
    access: 'public',
    body: TokenReview,
    errors: 'text',
    async handle({ body }) {
      const token = body.spec?.token ?? ''
      if (token === '') throw badRequest('token must not be null')
      try {
        const { username, token_type: type } = await sessions.verify(token)
        if (type === 'code' || type === 'refresh_token')
          throw new TokenError(`ivalid token type ${type} want access_token`)
        await users.pending()
        const user = users.get(username)
        if (user === undefined)
          throw new TokenError(`user.iam.kubesphere.io ${JSON.stringify(username)} not found`)
        if (user.state === 'Disabled') throw new LoginError('inactive')
        return {
          ...(body.apiVersion !== undefined && { apiVersion: body.apiVersion }),
          kind: 'TokenReview',
          status: { authenticated: true, user: { uid: '', username } },
        }
      } catch (error) {
        if (error instanceof TokenError || error instanceof LoginError) throw badRequest(error.message)
        throw error
      }
    },
  })
}
