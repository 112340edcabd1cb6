/**
 * `POST /oauth/token`: exchanges a password, a refresh token or a code for a session (RFC 6749, sections 3.2,
 * 4.1.3, 4.3, 6; RFC 7636).
 *
 * Unlike the original, a code works once, for the client it was issued to, and under both names of its grant.
 */
import { createHash } from 'node:crypto'
import { PRE_REGISTRATION } from '../../authentication/authenticator.js'
import { LoginError } from '../../authentication/login.js'
import { type Claims } from '../../authentication/tokens/claims.js'
import { type Subject } from '../../authentication/tokens/issuer.js'
import { TokenError } from '../../authentication/tokens/jwt.js'
import { type TokenAnswer } from '../../authentication/tokens/sessions.js'
import { passwordLogin } from './password.js'
import { type RequestInfo } from '../../serving/requestinfo.types.js'
import { route, type Route } from '../../serving/route.js'
import { clientNamed, type OAuthDeps, subjectOf } from './deps.js'
import { answering, FORM, formOf, json, OAuthError } from './errors.js'

export function tokenRoute(deps: OAuthDeps): Route {
  return route({
    method: 'POST',
    path: '/token',
    summary: 'Exchange a password, a refresh token or an authorization code for tokens.',
    access: 'public',
    consumes: [FORM],
    handle({ body, info, signal }) {
      return answering(async () => {
        const form = formOf(body)
        const client = clientNamed(deps.clients, form.get('client_id'), 401)
        if (!client.hasSecret(form.get('client_secret') ?? ''))
          throw new OAuthError(401, 'invalid_client', 'invalid client credential')
        return json(200, await grant(deps, form, client.name, info, signal))
      })
    },
  })
}

async function grant(
  deps: OAuthDeps,
  form: URLSearchParams,
  client: string,
  info: RequestInfo,
  signal: AbortSignal,
): Promise<TokenAnswer> {
  switch (form.get('grant_type')) {
    case 'password':
      return passwordGrant(deps, form, info, signal)
    case 'refresh_token':
      return refreshGrant(deps, form.get('refresh_token') ?? '')
    case 'code':
    case 'authorization_code':
      return codeGrant(deps, form, client)
    default:
      throw new OAuthError(400, 'unsupported_grant_type')
  }
}

async function passwordGrant(
  deps: OAuthDeps,
  form: URLSearchParams,
  info: RequestInfo,
  signal: AbortSignal,
): Promise<TokenAnswer> {
  return deps.sessions.open(await passwordLogin(deps, form, 'Token', info, signal))
}

async function refreshGrant(deps: OAuthDeps, token: string): Promise<TokenAnswer> {
  const claims = await deps.sessions.verifyAs('refresh_token', token)
  await deps.users.pending()
  return deps.sessions.open(ownerOf(deps, claims))
}

/** The user of a token as of now; a confirmed registration turns the external identity into its user. */
function ownerOf({ users }: OAuthDeps, { username, extra }: Claims): Subject {
  if (username === PRE_REGISTRATION) {
    const registered = users.byIdentity(extra?.idp?.[0] ?? '', extra?.uid?.[0] ?? '')
    // Not again and again: a registration is finished while its first token lasts.
    if (registered === undefined) throw new TokenError('authenticated user does not exist')
    if (registered.state === 'Disabled') throw new LoginError('inactive')
    return subjectOf(registered)
  }
  const user = users.get(username)
  if (user === undefined) throw new TokenError(`user.iam.kubesphere.io ${JSON.stringify(username)} not found`)
  if (user.state === 'Disabled') throw new LoginError('inactive')
  return subjectOf(user)
}

async function codeGrant(deps: OAuthDeps, form: URLSearchParams, client: string): Promise<TokenAnswer> {
  const { sessions, users } = deps
  const code = form.get('code') ?? ''
  const claims = await sessions.verifyAs('code', code)
  if (claims.aud?.includes(client) !== true) throw new TokenError('the code was issued to another client')
  const redirectUri = form.get('redirect_uri') ?? ''
  if (redirectUri !== '' && claims.redirect_uri !== undefined && redirectUri !== claims.redirect_uri)
    throw new TokenError('the code was sent to another address')
  if (!provesChallenge(claims, form.get('code_verifier') ?? ''))
    throw new TokenError('the code verifier does not match')
  if (!(await sessions.use(claims, code))) throw new TokenError('token not found in cache')

  await users.pending()
  const subject = ownerOf(deps, claims)
  const scopes = claims.scopes ?? []
  if (!scopes.includes('openid')) return sessions.open(subject)
  const user = users.get(subject.username)
  return sessions.open(subject, {
    username: subject.username,
    name: subject.username,
    aud: claims.aud,
    ...(claims.nonce !== undefined && { nonce: claims.nonce }),
    ...(scopes.includes('profile') && { preferred_username: subject.username, locale: user?.lang ?? '' }),
    ...(scopes.includes('email') && { email: user?.email ?? '' }),
  })
}

function provesChallenge(
  { code_challenge: challenge, code_challenge_method: method }: Claims,
  verifier: string,
): boolean {
  if (challenge === undefined) return true
  if (verifier === '') return false
  if (method === undefined || method === 'plain') return verifier === challenge
  return method === 'S256' && createHash('sha256').update(verifier).digest('base64url') === challenge
}
