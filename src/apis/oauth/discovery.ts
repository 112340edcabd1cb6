/** What clients read before they start: discovery document, keys, and who the caller is. */
import { ANONYMOUS } from '../../apimachinery/meta/types.js'
import { route, type Route } from '../../serving/route.js'
import { type OAuthDeps } from './deps.js'
import { answering, OAuthError } from './errors.js'

export function discoveryRoutes({ issuer, keys, users }: OAuthDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/.well-known/openid-configuration',
      summary: 'The discovery document. For real clients the issuer must be set to the address of /oauth.',
      access: 'public',
      handle: () => ({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        userinfo_endpoint: `${issuer}/userinfo`,
        jwks_uri: `${issuer}/keys`,
        grant_types_supported: ['authorization_code', 'refresh_token'],
        response_types_supported: ['code', 'token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        code_challenge_methods_supported: ['S256', 'plain'],
        scopes_supported: ['openid', 'email', 'profile', 'offline_access'],
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
        claims_supported: ['iss', 'sub', 'aud', 'iat', 'exp', 'email', 'locale', 'preferred_username'],
      }),
    }),
    route({
      method: 'GET',
      path: '/keys',
      summary: 'The public key that id tokens are signed with.',
      access: 'public',
      handle: () => keys.published(),
    }),
    route({
      method: 'GET',
      path: '/userinfo',
      summary: 'Who the caller is.',
      access: 'public',
      handle: ({ user }) =>
        answering(async () => {
          if (user.name === ANONYMOUS.name) throw new OAuthError(401, 'login_required')
          const known = users.get(user.name)
          if (known === undefined)
            throw new OAuthError(
              500,
              'server_error',
              `user.iam.kubesphere.io ${JSON.stringify(user.name)} not found`,
            )
          const { name, email, lang } = known
          return {
            sub: name,
            name,
            ...(email !== '' && { email }),
            ...(lang !== '' && { locale: lang }),
            preferred_username: name,
          }
        }),
    }),
  ]
}
