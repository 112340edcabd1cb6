/**
 * ServiceAccount tokens: makes them, and finds out whether one is good.
 *
 * Legacy tokens live in a Secret and never expire; bound tokens expire and die with the Pod or Secret they
 * are bound to. A signature is checked once per token and remembered, the objects behind a token are
 * looked at on every request, so deleting one revokes at once.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { type KubeObject, type UserInfo } from '../../apimachinery/meta/types.js'
import { type Clock } from '../registry/clock.js'
import { type Objects } from '../objects.js'

export const LEGACY_ISSUER = 'kubernetes/serviceaccount'
export const DEFAULT_ISSUER = 'https://kubernetes.default.svc.cluster.local'

/** What a bound token says besides the registered claims. */
export interface BoundClaims {
  namespace: string
  serviceaccount: { name: string; uid: string }
  pod?: { name: string; uid: string }
  secret?: { name: string; uid: string }
}

interface Claims {
  iss?: string
  sub?: string
  aud?: string | string[]
  exp?: number
  nbf?: number
  'kubernetes.io'?: BoundClaims
  'kubernetes.io/serviceaccount/namespace'?: string
  'kubernetes.io/serviceaccount/secret.name'?: string
  'kubernetes.io/serviceaccount/service-account.name'?: string
  'kubernetes.io/serviceaccount/service-account.uid'?: string
}

/** Why a token is not good; a sentence without the token. */
export class BadToken extends Error {
  override readonly name = 'BadToken'
}

export interface TokenOptions {
  /** Private key PEM, EC P-256. */
  key: string
  issuer?: string
  /** Who tokens are for when the request does not say; default the issuer. */
  audiences?: readonly string[]
}

const REMEMBERED = 2000
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

export class ServiceAccountTokens {
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly #privateKey: KeyObject
  readonly #publicKey: KeyObject
  readonly #keyId: string
  readonly #verified = new Map<string, Claims>()

  constructor(
    options: TokenOptions,
    private readonly objects: Objects,
    private readonly clock: Clock,
  ) {
    this.issuer = options.issuer ?? DEFAULT_ISSUER
    this.audiences = options.audiences ?? [this.issuer]
    this.#privateKey = createPrivateKey(options.key)
    this.#publicKey = createPublicKey(this.#privateKey)
    const der = this.#publicKey.export({ type: 'spki', format: 'der' })
    this.#keyId = createHash('sha256').update(der).digest('base64url')
  }

  /** A token for a Secret of type `kubernetes.io/service-account-token`. */
  legacy(account: { namespace: string; name: string; uid: string }, secretName: string): string {
    return this.#sign({
      iss: LEGACY_ISSUER,
      'kubernetes.io/serviceaccount/namespace': account.namespace,
      'kubernetes.io/serviceaccount/secret.name': secretName,
      'kubernetes.io/serviceaccount/service-account.name': account.name,
      'kubernetes.io/serviceaccount/service-account.uid': account.uid,
      sub: userName(account.namespace, account.name),
    })
  }

  bound(
    claims: BoundClaims,
    audiences: readonly string[],
    seconds: number,
  ): { token: string; expires: Date } {
    const now = Math.floor(this.clock.now() / 1000)
    const token = this.#sign({
      aud: [...audiences],
      exp: now + seconds,
      iat: now,
      iss: this.issuer,
      'kubernetes.io': claims,
      nbf: now,
      sub: userName(claims.namespace, claims.serviceaccount.name),
    } as Claims)
    return { token, expires: new Date((now + seconds) * 1000) }
  }

  /** True when it claims to be one of ours, good or not. */
  isOurs(token: string): boolean {
    const { iss } = claimsOf(token) ?? {}
    return iss === LEGACY_ISSUER || iss === this.issuer
  }

  /**
   * @param audiences who the token must be for, at least one of them; legacy tokens are for the server
   * @returns the user and which of `audiences` the token is for
   * @throws BadToken
   */
  authenticate(
    token: string,
    audiences: readonly string[] = this.audiences,
  ): { user: UserInfo; audiences: string[] } {
    const claims = this.#verify(token)
    if (claims.iss === LEGACY_ISSUER) return this.#legacyUser(token, claims, audiences)
    if (claims.iss !== this.issuer) throw new BadToken('the issuer is another')
    return this.#boundUser(claims, audiences)
  }

  /** `/.well-known/openid-configuration` */
  discovery(): object {
    return {
      issuer: this.issuer,
      jwks_uri: `${this.issuer}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    }
  }

  /** `/openid/v1/jwks` */
  keys(): { keys: JsonWebKey[] } {
    const { kty, crv, x, y } = this.#publicKey.export({ format: 'jwk' })
    return { keys: [{ use: 'sig', kty, kid: this.#keyId, crv, alg: 'ES256', x, y } as JsonWebKey] }
  }

  #sign(claims: Claims): string {
    const body = `${encode({ alg: 'ES256', kid: this.#keyId })}.${encode(claims)}`
    const signature = sign('sha256', Buffer.from(body), {
      key: this.#privateKey,
      dsaEncoding: 'ieee-p1363',
    })
    return `${body}.${signature.toString('base64url')}`
  }

  /** @throws BadToken */
  #verify(token: string): Claims {
    const known = this.#verified.get(token)
    if (known) return known
    const [header = '', payload = '', signature = '', ...rest] = token.split('.')
    const algorithm = (jsonOf(header) as { alg?: string } | undefined)?.alg
    const claims = claimsOf(token)
    if (rest.length > 0 || algorithm !== 'ES256' || !claims) throw new BadToken('it is no token of ours')
    const good = verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      { key: this.#publicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    )
    if (!good) throw new BadToken('the signature is wrong')
    if (this.#verified.size >= REMEMBERED) {
      const [oldest] = this.#verified.keys()
      if (oldest !== undefined) this.#verified.delete(oldest)
    }
    this.#verified.set(token, claims)
    return claims
  }

  #legacyUser(
    token: string,
    claims: Claims,
    audiences: readonly string[],
  ): { user: UserInfo; audiences: string[] } {
    const namespace = claims['kubernetes.io/serviceaccount/namespace'] ?? ''
    const secretName = claims['kubernetes.io/serviceaccount/secret.name'] ?? ''
    const name = claims['kubernetes.io/serviceaccount/service-account.name'] ?? ''
    const uid = claims['kubernetes.io/serviceaccount/service-account.uid'] ?? ''
    const secret = this.objects.shared('', 'secrets', namespace, secretName)
    if (!secret || secret.metadata.deletionTimestamp) throw new BadToken('the token has been invalidated')
    const stored = (secret.data as Record<string, string> | undefined)?.token
    if (stored === undefined || Buffer.from(stored, 'base64').toString() !== token) {
      throw new BadToken("the token does not match the server's copy")
    }
    this.#account(namespace, name, uid)
    const forUs = audiences.filter((audience) => this.audiences.includes(audience))
    if (forUs.length === 0) throw new BadToken('the token is for others')
    return { user: userOf(namespace, name, uid), audiences: forUs }
  }

  #boundUser(claims: Claims, audiences: readonly string[]): { user: UserInfo; audiences: string[] } {
    const now = this.clock.now() / 1000
    if (claims.exp === undefined || now >= claims.exp) throw new BadToken('the token has expired')
    if (claims.nbf !== undefined && now < claims.nbf - LEEWAY_SECONDS) {
      throw new BadToken('the token is not valid yet')
    }
    const own = claims['kubernetes.io']
    if (!own) throw new BadToken('the token names no service account')
    const { aud } = claims
    const intended = Array.isArray(aud) ? aud : [aud ?? '']
    const matching = audiences.filter((audience) => intended.includes(audience))
    if (matching.length === 0) throw new BadToken(`invalid bearer token, Token is for other audiences`)
    const { namespace, serviceaccount, pod, secret } = own
    this.#account(namespace, serviceaccount.name, serviceaccount.uid)
    for (const [resource, bound] of [
      ['pods', pod],
      ['secrets', secret],
    ] as const) {
      if (!bound) continue
      const object = this.objects.shared('', resource, namespace, bound.name)
      if (!object || object.metadata.uid !== bound.uid || this.#isOver(object)) {
        throw new BadToken('the token has been invalidated')
      }
    }
    const user = userOf(namespace, serviceaccount.name, serviceaccount.uid)
    if (!pod) return { user, audiences: matching }
    const extra = {
      'authentication.kubernetes.io/pod-name': [pod.name],
      'authentication.kubernetes.io/pod-uid': [pod.uid],
    }
    return { user: { ...user, extra }, audiences: matching }
  }

  /** Deleted, and its grace period is over as well. */
  #isOver({ metadata }: KubeObject): boolean {
    const { deletionTimestamp } = metadata
    return deletionTimestamp !== undefined && this.clock.now() > Date.parse(deletionTimestamp) + 60_000
  }

  /** @throws BadToken */
  #account(namespace: string, name: string, uid: string): void {
    const account = this.objects.shared('', 'serviceaccounts', namespace, name)
    if (!account || account.metadata.deletionTimestamp) throw new BadToken('the service account is gone')
    if (account.metadata.uid !== uid) throw new BadToken('the service account is another one of that name')
  }
}

/** Clocks of two machines may differ by this much. */
const LEEWAY_SECONDS = 60

export function userName(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`
}

function userOf(namespace: string, name: string, uid: string): UserInfo {
  return {
    name: userName(namespace, name),
    uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  }
}

function jsonOf(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString())
  } catch {
    return undefined
  }
}

function claimsOf(token: string): Claims | undefined {
  const value = jsonOf(token.split('.')[1] ?? '')
  return value !== null && typeof value === 'object' ? value : undefined
}
