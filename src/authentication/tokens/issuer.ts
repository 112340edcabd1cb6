/**
 * Makes tokens and checks what can be checked without the store: signature, expiry, time of issue.
 *
 * Tokens already checked are remembered, so that a session pays for its signature once.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { formatDuration } from '../../configuration/duration.js'
import { type Claims, type TokenType } from './claims.js'
import { openHs256, signHs256, signRs256, TokenError } from './jwt.js'
import { type SigningKeys } from './keys.js'

const CODE_LIFETIME_MS = 600_000
const REMEMBERED = 10_000

export interface IssuerOptions {
  issuer: string
  jwtSecret: string
  maximumClockSkew: number
  accessTokenMaxAge: number
  accessTokenInactivityTimeout: number
  keys: SigningKeys
  /** Milliseconds since the epoch. */
  now?: () => number
}

/** Whom a token is about, and what it carries besides. */
export type Subject = Omit<Claims, 'exp' | 'iat' | 'iss' | 'sub' | 'token_type'>

export interface IssuedToken {
  token: string
  /** Undefined: never expires, and need not be stored. */
  lifetimeMs: number | undefined
}

export class TokenIssuer {
  readonly #key: KeyObject
  readonly #now: () => number
  /** In order of use, so that the first is the one to forget. */
  readonly #checked = new Map<string, { claims: Claims; isUsed: boolean }>()

  constructor(private readonly options: IssuerOptions) {
    if (options.jwtSecret === '') throw new Error('JWT secret MUST not be empty')
    this.#key = createSecretKey(Buffer.from(options.jwtSecret))
    this.#now = options.now ?? Date.now
  }

  /** Access tokens never expire: sessions are not tracked, and the store is not asked. */
  get unlimited(): boolean {
    return this.options.accessTokenMaxAge === 0
  }

  lifetimeOf(type: TokenType): number | undefined {
    const { accessTokenMaxAge, accessTokenInactivityTimeout } = this.options
    if (type === 'code') return CODE_LIFETIME_MS
    if (type === 'access_token') return accessTokenMaxAge || undefined
    return accessTokenMaxAge + accessTokenInactivityTimeout || undefined
  }

  issue(type: Exclude<TokenType, 'id_token'>, subject: Subject): IssuedToken {
    return { token: signHs256(this.#claims(type, subject), this.#key), lifetimeMs: this.lifetimeOf(type) }
  }

  async issueIdToken(subject: Subject): Promise<IssuedToken> {
    const { key, kid } = await this.options.keys.signing()
    const token = await signRs256(this.#claims('id_token', subject), key, kid)
    return { token, lifetimeMs: this.lifetimeOf('id_token') }
  }

  /** @throws TokenError */
  verify(token: string): Claims {
    const known = this.#checked.get(token)
    const claims = known?.claims ?? openHs256(token, this.#key)
    this.#checkTimes(claims)
    this.#checkIssuer(claims)
    if (known) known.isUsed = true
    else this.#remember(token, claims)
    return claims
  }

  /** In place of the oldest that was not used since it was last looked at; so no request has to move its token. */
  #remember(token: string, claims: Claims): void {
    for (const [oldest, known] of this.#checked) {
      if (this.#checked.size < REMEMBERED) break
      this.#checked.delete(oldest)
      if (known.isUsed) this.#checked.set(oldest, { ...known, isUsed: false })
    }
    this.#checked.set(token, { claims, isUsed: false })
  }

  #claims(type: TokenType, subject: Subject): Claims {
    const iat = Math.floor(this.#now() / 1000)
    const lifetimeMs = this.lifetimeOf(type)
    const claims: Claims = {
      ...subject,
      ...(lifetimeMs !== undefined && { exp: iat + Math.ceil(lifetimeMs / 1000) }),
      iat,
      iss: this.options.issuer,
      sub: subject.username,
      token_type: type,
    }
    const entries = Object.entries(claims).filter(
      ([, value]) => value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0),
    )
    // In alphabetical order, as the original writes them.
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) as unknown as Claims
  }

  #checkTimes({ exp, iat }: Claims): void {
    const now = this.#now()
    if (exp !== undefined && exp * 1000 <= now)
      throw new TokenError(`jwt: token is expired by ${formatDuration(now - exp * 1000)}`)
    if (iat !== undefined && iat * 1000 > now + this.options.maximumClockSkew)
      throw new TokenError(`jwt: token used before issued, iat:${iat}, now:${Math.floor(now / 1000)}`)
  }

  /**
   * A server with tracked sessions takes its own tokens only. With unlimited tokens, as on a member cluster,
   * they come from the host, whose issuer may be called differently.
   */
  #checkIssuer({ iss }: Claims): void {
    if (iss !== undefined && iss !== this.options.issuer && !this.unlimited)
      throw new TokenError(`token of another issuer: ${iss}`)
  }
}
