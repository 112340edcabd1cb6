/**
 * Sessions: tokens that are issued, looked up and revoked together.
 *
 * A token counts while it verifies and the store has it. With unlimited access tokens the store is not asked,
 * and logging out has no effect; static tokens, made by hand for machines, are never in the store.
 */
import { type Claims, PRE_REGISTRATION, type TokenType } from './claims.js'
import { type IssuedToken, type Subject, type TokenIssuer } from './issuer.js'
import { TokenError } from './jwt.js'
import { type TokenStore } from './store.js'

export interface TokenAnswer {
  access_token: string
  token_type: 'Bearer'
  refresh_token: string
  id_token?: string
  /** Seconds; absent when unlimited. */
  expires_in?: number
}

export interface SessionsDeps {
  issuer: TokenIssuer
  store: TokenStore
  multipleLogin: boolean
}

export class Sessions {
  constructor(private readonly deps: SessionsDeps) {}

  /** An access and a refresh token, and an id token when there is something to put into one. */
  async open(subject: Subject, idSubject?: Subject): Promise<TokenAnswer> {
    const { issuer, store, multipleLogin } = this.deps
    // Those who register share one name, and must not end one another's registration.
    if (!multipleLogin && subject.username !== PRE_REGISTRATION) await store.deleteAll(subject.username)
    const access = issuer.issue('access_token', subject)
    const refresh = issuer.issue('refresh_token', subject)
    const id = idSubject === undefined ? undefined : await issuer.issueIdToken(idSubject)
    const issued = [access, refresh, ...(id === undefined ? [] : [id])]
    await Promise.all(issued.map((token) => this.#keep(subject.username, token)))
    return {
      access_token: access.token,
      token_type: 'Bearer',
      refresh_token: refresh.token,
      ...(id !== undefined && { id_token: id.token }),
      ...(access.lifetimeMs !== undefined && { expires_in: Math.floor(access.lifetimeMs / 1000) }),
    }
  }

  /** @returns a token to be exchanged once */
  async openCode(subject: Subject): Promise<string> {
    const issued = this.deps.issuer.issue('code', subject)
    await this.#keep(subject.username, issued)
    return issued.token
  }

  /**
   * @returns the claims, at once when the store is in memory
   * @throws TokenError when the token is no good
   */
  verify(token: string): Claims | Promise<Claims> {
    const claims = this.deps.issuer.verify(token)
    if (this.deps.issuer.unlimited || claims.token_type === 'static_token') return claims
    const there = this.deps.store.has(claims.username, token)
    return typeof there === 'boolean' ? known(there, claims) : there.then((found) => known(found, claims))
  }

  /** @throws TokenError also when the token is of another type */
  async verifyAs(type: TokenType, token: string): Promise<Claims> {
    const claims = await this.verify(token)
    // The spelling is the original's and part of the contract.
    if (claims.token_type !== type)
      throw new TokenError(`ivalid token type ${claims.token_type ?? ''} want ${type}`)
    return claims
  }

  /** @returns false when somebody else has used it first */
  async use({ username }: Claims, token: string): Promise<boolean> {
    return this.deps.store.delete(username, token)
  }

  async closeAll(user: string): Promise<void> {
    if (user === PRE_REGISTRATION) return
    await this.deps.store.deleteAll(user)
  }

  async #keep(user: string, { token, lifetimeMs }: IssuedToken): Promise<void> {
    if (lifetimeMs !== undefined) await this.deps.store.put(user, token, lifetimeMs)
  }
}

function known(there: boolean, claims: Claims): Claims {
  if (!there) throw new TokenError('token not found in cache')
  return claims
}
