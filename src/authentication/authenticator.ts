/**
 * Who sends a request: nobody, a user with a password, or the owner of a token.
 *
 * The texts after `Unauthorized: ` are those of the original, down to what it prints when no authenticator
 * had an opinion.
 */
import { type StatusError, tooManyRequests, unauthorized } from '../apimachinery/errors/index.js'
import { ANONYMOUS, type UserInfo } from '../apimachinery/meta/types.js'
import { type AuthenticationRequest, type Authenticator } from './interface.js'
import { type Login, LoginError } from './login.js'
import { BusyError } from './passwords.js'
import { type Claims, PRE_REGISTRATION } from './tokens/claims.js'
import { TokenError } from './tokens/jwt.js'
import { type Sessions } from './tokens/sessions.js'
import { type User, type UserDirectory } from './users.js'

export const AUTHENTICATED_GROUP = 'system:authenticated'
export { PRE_REGISTRATION } from './tokens/claims.js'

const NO_OPINION = '%!s(<nil>)'

export interface AuthenticatorDeps {
  users: UserDirectory
  login: Login
  sessions: Sessions
}

function refusal(why: string): StatusError {
  return unauthorized(`Unauthorized: ${why}`)
}

export class RequestAuthenticator implements Authenticator {
  /** Made once per user and change of it, so that a request allocates nothing. */
  readonly #infos = new WeakMap<User, UserInfo>()

  constructor(private readonly deps: AuthenticatorDeps) {}

  authenticate(
    request: AuthenticationRequest,
    client: { readonly signal: AbortSignal },
  ): Promise<UserInfo> | UserInfo {
    const header = request.headers.authorization?.trim() ?? ''
    if (header === '') return ANONYMOUS
    const [scheme = '', credentials = ''] = header.split(' ', 2)
    switch (scheme.toLowerCase()) {
      case 'bearer':
        if (credentials === '') throw refusal(NO_OPINION)
        return this.#bearer(credentials)
      case 'basic':
        return this.#basic(credentials, request, client.signal)
      default:
        throw refusal(NO_OPINION)
    }
  }

  #bearer(token: string): Promise<UserInfo> | UserInfo {
    try {
      const claims = this.deps.sessions.verify(token)
      const pending = this.deps.users.pending()
      if (!(claims instanceof Promise) && pending === undefined) return this.#owner(claims)
      return this.#bearerLater(claims, pending)
    } catch (error) {
      throw error instanceof TokenError ? refusal(error.message) : error
    }
  }

  async #bearerLater(
    claims: Claims | Promise<Claims>,
    pending: Promise<void> | undefined,
  ): Promise<UserInfo> {
    try {
      const [known] = await Promise.all([claims, pending])
      return this.#owner(known)
    } catch (error) {
      throw error instanceof TokenError ? refusal(error.message) : error
    }
  }

  #owner({ username, extra, token_type: type }: Claims): UserInfo {
    // A code is exchanged for a session; nobody has business sending one as a credential.
    if (type === 'code') throw refusal('an authorization code is not a credential')
    if (username === PRE_REGISTRATION) return { name: username, groups: [], ...(extra && { extra }) }
    const user = this.deps.users.get(username)
    if (user === undefined) throw refusal(`user.iam.kubesphere.io ${JSON.stringify(username)} not found`)
    if (user.state === 'Disabled') throw refusal('account is not active')
    return this.#info(user)
  }

  async #basic(
    credentials: string,
    { sourceIP, userAgent }: AuthenticationRequest,
    signal: AbortSignal,
  ): Promise<UserInfo> {
    const pair = /^[A-Za-z0-9+/]+={0,2}$/.test(credentials)
      ? Buffer.from(credentials, 'base64').toString('utf8')
      : ''
    const colon = pair.indexOf(':')
    if (colon < 0) throw refusal(NO_OPINION)
    const source = { type: 'Basic', sourceIP, userAgent, recordSuccess: false } as const
    try {
      const user = await this.deps.login.withPassword(
        pair.slice(0, colon),
        pair.slice(colon + 1),
        source,
        signal,
      )
      return this.#info(user)
    } catch (error) {
      if (error instanceof LoginError) throw refusal(error.message)
      if (error instanceof BusyError) throw tooManyRequests(error.message)
      throw error
    }
  }

  #info(user: User): UserInfo {
    let info = this.#infos.get(user)
    if (info === undefined) {
      info = { name: user.name, groups: [...user.groups, AUTHENTICATED_GROUP] }
      this.#infos.set(user, info)
    }
    return info
  }
}
