/**
 * What the server is given from outside: who asks, who may, what is admitted, how it is observed.
 *
 * Identity and policy live in `kube/authentication` and `kube/authorization`; the server knows them only
 * through these shapes, so tests pass literals.
 */
import { type PeerCertificate } from 'node:tls'
import { type UserInfo } from '../../apimachinery/meta/types.js'
import { type Headers } from '../../client/transport.js'

export interface AuthenticationRequest {
  /** Names are lower case. */
  headers: Headers
  /** The verified or unverified certificate of the TLS client; `authorized` tells which. */
  peerCertificate?: { certificate: PeerCertificate; authorized: boolean }
}

/**
 * @returns the user with all groups, `system:authenticated` included; ANONYMOUS without credentials
 * @throws StatusError 401 when there are credentials and none is good
 */
export type Authenticate = (request: AuthenticationRequest) => Promise<UserInfo> | UserInfo

/** What is asked of the authorizer: the same attributes as in a SubjectAccessReview. */
export interface AuthorizationAttributes {
  user: UserInfo
  /** `get`, `list`, `deletecollection`, ...; for other paths the method in lower case. */
  verb: string
  /** False: only `path` and `verb` count. */
  resourceRequest: boolean
  path: string
  apiGroup: string
  apiVersion: string
  /** "" for cluster scope and for all namespaces. */
  namespace: string
  resource: string
  subresource: string
  /** "" where no single object is meant. A list or watch with `metadata.name=x` carries x. */
  name: string
}

export interface Decision {
  allowed: boolean
  /** Appended to the 403 message after `: ` when not empty. */
  reason: string
}

export type Authorize = (attributes: AuthorizationAttributes) => Decision | Promise<Decision>

/** Pino-like; the fields first. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** `GET /version`. */
export interface VersionInfo {
  major: string
  minor: string
  gitVersion: string
  gitCommit: string
  gitTreeState: string
  buildDate: string
  goVersion: string
  compiler: string
  platform: string
}

/** One line of `/readyz?verbose`. Undefined means good; a text says what is missing. */
export interface HealthCheck {
  name: string
  check: () => string | undefined
  /** Also part of `/livez`. */
  live?: boolean
}

/** What an audit backend is told, once per stage. The request path never waits for it. */
export interface AuditEvent {
  id: string
  stage: 'RequestReceived' | 'ResponseStarted' | 'ResponseComplete' | 'Panic'
  verb: string
  path: string
  user: UserInfo
  impersonatedUser?: UserInfo
  sourceIP: string
  userAgent: string
  object?: {
    resource: string
    subresource: string
    namespace: string
    name: string
    apiGroup: string
    apiVersion: string
  }
  code?: number
  receivedAt: number
}

export type Audit = (event: AuditEvent) => void
