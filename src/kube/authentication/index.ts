/**
 * Who asks: client certificate, bearer token, or nobody.
 *
 * Credentials that are given and not good are refused, never taken for none.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { type PeerCertificate } from 'node:tls'
import { unauthorized } from '../../apimachinery/errors/index.js'
import { ANONYMOUS, type UserInfo } from '../../apimachinery/meta/types.js'
import { type Authenticate } from '../server/interfaces.js'
import { BadToken, type ServiceAccountTokens } from './serviceaccounts.js'

export { BadToken, DEFAULT_ISSUER, ServiceAccountTokens } from './serviceaccounts.js'

export const AUTHENTICATED = 'system:authenticated'

/** A fixed bearer token and who it stands for, as a line of a token file. */
export interface StaticToken {
  token: string
  user: UserInfo
}

export interface AuthenticationOptions {
  serviceAccounts: ServiceAccountTokens
  tokens?: readonly StaticToken[]
  /** Requests without credentials are `system:anonymous`; otherwise 401. Default true. */
  anonymous?: boolean
}

/** @returns the user of a token with all groups, or undefined when it is not good */
export type TokenAuthenticator = (
  token: string,
  audiences?: readonly string[],
) => { user: UserInfo; audiences: readonly string[] } | undefined

export function tokenAuthenticator({
  serviceAccounts,
  tokens = [],
}: AuthenticationOptions): TokenAuthenticator {
  const known = tokens.map(({ token, user }) => ({ digest: digestOf(token), user }))
  return (token, audiences) => {
    const digest = digestOf(token)
    const fixed = known.find((entry) => timingSafeEqual(entry.digest, digest))
    if (fixed) {
      const forUs = (audiences ?? serviceAccounts.audiences).filter((audience) =>
        serviceAccounts.audiences.includes(audience),
      )
      return forUs.length === 0 ? undefined : { user: authenticated(fixed.user), audiences: forUs }
    }
    try {
      const found = serviceAccounts.authenticate(token, audiences)
      return { user: authenticated(found.user), audiences: found.audiences }
    } catch (error) {
      if (error instanceof BadToken) return undefined
      throw error
    }
  }
}

export function createAuthentication(options: AuthenticationOptions): {
  authenticate: Authenticate
  authenticateToken: TokenAuthenticator
} {
  const authenticateToken = tokenAuthenticator(options)
  const authenticate: Authenticate = ({ headers, peerCertificate }) => {
    if (peerCertificate) {
      if (!peerCertificate.authorized) throw unauthorized()
      const user = userOfCertificate(peerCertificate.certificate)
      if (user) return authenticated(user)
    }
    const token = bearerToken(first(headers.authorization), first(headers['sec-websocket-protocol']))
    if (token !== undefined) {
      const found = authenticateToken(token)
      if (!found) throw unauthorized()
      return found.user
    }
    // Other schemes are credentials too, but none that this server knows.
    if (headers.authorization !== undefined || options.anonymous === false) throw unauthorized()
    return ANONYMOUS
  }
  return { authenticate, authenticateToken }
}

/** CN is the name, each O a group. */
export function userOfCertificate({ subject }: PeerCertificate): UserInfo | undefined {
  const { CN, O } = (subject ?? {}) as { CN?: string | string[]; O?: string | string[] }
  const name = Array.isArray(CN) ? CN[0] : CN
  if (!name) return undefined
  return { name, groups: O === undefined ? [] : Array.isArray(O) ? O : [O] }
}

function authenticated(user: UserInfo): UserInfo {
  return user.groups.includes(AUTHENTICATED) ? user : { ...user, groups: [...user.groups, AUTHENTICATED] }
}

/** Browsers cannot set headers on WebSockets: the token may come as a subprotocol. */
const PROTOCOL = 'base64url.bearer.authorization.k8s.io.'

function bearerToken(authorization: string, protocols: string): string | undefined {
  const match = /^bearer +(\S+) *$/i.exec(authorization)
  if (match) return match[1]
  const protocol = protocols
    .split(',')
    .map((text) => text.trim())
    .find((text) => text.startsWith(PROTOCOL))
  return protocol && Buffer.from(protocol.slice(PROTOCOL.length), 'base64url').toString()
}

function first(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? ''
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
