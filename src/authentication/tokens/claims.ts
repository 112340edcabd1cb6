/** What tokens say. Names as on the wire; a missing list is an absent claim. */

export type TokenType = 'access_token' | 'refresh_token' | 'code' | 'id_token' | 'static_token'

/** Who has proved an external identity and has no user yet. */
export const PRE_REGISTRATION = 'system:pre-registration'

export interface Claims {
  aud?: readonly string[]
  /** Of codes: what the exchange has to prove (RFC 7636). */
  code_challenge?: string
  code_challenge_method?: string
  email?: string
  /** Seconds since the epoch; absent: never expires. */
  exp?: number
  extra?: Readonly<Record<string, readonly string[]>>
  iat?: number
  iss?: string
  locale?: string
  name?: string
  nonce?: string
  preferred_username?: string
  /** Of codes: where the code was sent. */
  redirect_uri?: string
  scopes?: readonly string[]
  sub?: string
  token_type?: string
  /** The identity; `sub` is not looked at. */
  username: string
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText)

/**
 * Takes the known claims out of a parsed payload.
 *
 * @returns undefined when a claim has the wrong type
 */
export function claimsFrom(payload: unknown): Claims | undefined {
  if (payload === null || typeof payload !== 'object' || Array.isArray(payload)) return undefined
  const { username = '', exp, iat, aud, extra, scopes, ...rest } = payload as Record<string, unknown>
  const claims: Claims = { username: '' }
  if (!isText(username)) return undefined
  claims.username = username
  for (const [key, value] of [
    ['exp', exp],
    ['iat', iat],
  ] as const) {
    if (value === undefined || value === null) continue
    if (typeof value !== 'number') return undefined
    claims[key] = value
  }
  if (scopes !== undefined && scopes !== null) {
    if (!isTexts(scopes)) return undefined
    claims.scopes = scopes
  }
  if (aud !== undefined && aud !== null) {
    if (!isText(aud) && !isTexts(aud)) return undefined
    claims.aud = isText(aud) ? [aud] : aud
  }
  if (extra !== undefined && extra !== null) {
    if (typeof extra !== 'object' || Array.isArray(extra) || !Object.values(extra).every(isTexts))
      return undefined
    claims.extra = extra as Record<string, string[]>
  }
  for (const key of [
    'code_challenge',
    'code_challenge_method',
    'email',
    'iss',
    'locale',
    'name',
    'nonce',
    'preferred_username',
    'redirect_uri',
    'sub',
    'token_type',
  ] as const) {
    const value = rest[key]
    if (value === undefined || value === null) continue
    if (!isText(value)) return undefined
    claims[key] = value
  }
  return claims
}
