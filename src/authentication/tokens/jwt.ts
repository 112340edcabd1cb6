/**
 * JSON Web Tokens in compact form: HS256 for everything that is a credential, RS256 for id tokens.
 *
 * The texts of errors are part of the contract (core.md §5.5): clients see them after `Unauthorized: `.
 */
import { createHmac, type KeyObject, sign, timingSafeEqual } from 'node:crypto'
import { type Claims, claimsFrom } from './claims.js'

export class TokenError extends Error {
  override readonly name = 'TokenError'
}

const HS256_HEADER = encode({ alg: 'HS256', typ: 'JWT' })

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function hmac(key: KeyObject, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

export function signHs256(claims: Claims, key: KeyObject): string {
  const input = `${HS256_HEADER}.${encode(claims)}`
  return `${input}.${hmac(key, input).toString('base64url')}`
}

export function signRs256(claims: Claims, key: KeyObject, kid: string): Promise<string> {
  const input = `${encode({ alg: 'RS256', kid, typ: 'JWT' })}.${encode(claims)}`
  return new Promise((resolve, reject) => {
    // With a callback the signature is made off the event loop.
    sign('sha256', Buffer.from(input), key, (error, signature) => {
      if (error) reject(error)
      else resolve(`${input}.${signature.toString('base64url')}`)
    })
  })
}

/**
 * Checks form, algorithm and signature; times are the caller's business.
 *
 * @throws TokenError
 */
export function openHs256(token: string, key: KeyObject): Claims {
  const [header, payload, signature, ...more] = token.split('.')
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0)
    throw new TokenError('token contains an invalid number of segments')
  const { alg } = (decodeJson(header) ?? {}) as { alg?: unknown }
  const claims = claimsFrom(decodeJson(payload))
  if (claims === undefined) throw new TokenError('token claims have the wrong type')
  if (alg !== 'HS256' && alg !== 'RS256')
    throw new TokenError(`signing method ${typeof alg === 'string' ? alg : 'unknown'} is invalid`)
  // RS256 signs id tokens, which tell a client who logged in and are no credential here.
  if (alg === 'RS256') throw new TokenError('key is of invalid type')
  const expected = hmac(key, `${header}.${payload}`)
  const given = decodeSegment(signature)
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new TokenError('signature is invalid')
  return claims
}

function decodeSegment(segment: string): Buffer {
  const illegal = segment.search(/[^A-Za-z0-9_-]/)
  if (illegal >= 0) throw new TokenError(`illegal base64 data at input byte ${illegal}`)
  if (segment.length % 4 === 1)
    throw new TokenError(`illegal base64 data at input byte ${segment.length - 1}`)
  return Buffer.from(segment, 'base64url')
}

function decodeJson(segment: string): unknown {
  const text = decodeSegment(segment).toString('utf8')
  try {
    return JSON.parse(text)
  } catch (error) {
    const first = text.trimStart()[0]
    const why =
      first === undefined
        ? 'unexpected end of JSON input'
        : `invalid character '${first}' looking for beginning of value`
    throw new TokenError(why, { cause: error })
  }
}
