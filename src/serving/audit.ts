/**
 * Audit events: their shape.
 *
 * Keys and values are those that the platform's auditing backend has always been sent: PascalCase outside,
 * lower case inside `User` and `ResponseStatus`, and the resource scope where a resource version would be.
 */
import { type UserInfo } from '../apimachinery/meta/types.js'
import { withoutSecrets } from './auditsecrets.js'
import { type RequestInfo } from './requestinfo.types.js'

export const AUDIT_LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const
export type AuditLevel = (typeof AUDIT_LEVELS)[number]

/** @returns None for a word that is no level */
export function auditLevel(word: string | undefined): AuditLevel {
  return AUDIT_LEVELS.find((level) => level === word) ?? 'None'
}

export function atLeast(level: AuditLevel, floor: AuditLevel): boolean {
  return AUDIT_LEVELS.indexOf(level) >= AUDIT_LEVELS.indexOf(floor)
}

export interface AuditEvent {
  Devops: string
  Workspace: string
  Cluster: string
  Message: string
  Level: AuditLevel
  AuditID: string
  Stage: 'ResponseComplete'
  RequestURI: string
  Verb: string
  User: { username: string; uid?: string; groups?: readonly string[]; extra?: UserInfo['extra'] }
  ImpersonatedUser: null
  SourceIPs: string[]
  UserAgent: string
  ObjectRef: {
    Resource: string
    Namespace: string
    Name: string
    UID: string
    APIGroup: string
    APIVersion: string
    ResourceVersion: string
    Subresource: string
  }
  ResponseStatus: { metadata: Record<string, never>; code: number }
  RequestObject: unknown
  ResponseObject: unknown
  RequestReceivedTimestamp: string
  StageTimestamp: string
  Annotations: null
}

export interface DevopsProject {
  name: string
  workspace: string
}

export interface AuditFacts {
  id: string
  level: AuditLevel
  info: RequestInfo
  user: UserInfo
  status: number
  receivedAt: Date
  completedAt: Date
  /** Bodies as far as they were kept; undefined when not asked for, too large or not there. */
  requestBody?: Uint8Array | undefined
  responseBody?: Uint8Array | undefined
  /** Fills what the URL does not say: the workspace of a DevOps project, and its name. */
  project?: DevopsProject | undefined
}

export function auditEvent(facts: AuditFacts): AuditEvent {
  const { info, user, level, project } = facts
  const body = parsed(facts.requestBody)
  return {
    Devops: project?.name ?? info.devops,
    Workspace: info.workspace === '' ? (project?.workspace ?? '') : info.workspace,
    Cluster: info.cluster,
    Message: '',
    Level: level,
    AuditID: facts.id,
    Stage: 'ResponseComplete',
    RequestURI: info.path,
    Verb: verbOf(info, body),
    User: {
      username: user.name,
      ...(user.uid !== undefined && { uid: user.uid }),
      ...(user.groups.length > 0 && { groups: user.groups }),
      ...(user.extra && Object.keys(user.extra).length > 0 && { extra: user.extra }),
    },
    ImpersonatedUser: null,
    SourceIPs: [info.sourceIP.split(',', 1)[0]?.trim() ?? ''],
    UserAgent: info.userAgent,
    ObjectRef: {
      Resource: info.resource,
      Namespace: info.namespace,
      Name: (info.verb === 'create' && nameOf(body)) || info.name,
      UID: '',
      APIGroup: info.apiGroup,
      APIVersion: info.apiVersion,
      ResourceVersion: info.resourceScope,
      Subresource: info.subresource,
    },
    ResponseStatus: { metadata: {}, code: facts.status },
    RequestObject: atLeast(level, 'Request') ? (withoutSecrets(body, info) ?? null) : null,
    ResponseObject: atLeast(level, 'RequestResponse')
      ? (withoutSecrets(parsed(facts.responseBody), info) ?? null)
      : null,
    RequestReceivedTimestamp: micros(facts.receivedAt),
    StageTimestamp: micros(facts.completedAt),
    Annotations: null,
  }
}

function micros(time: Date): string {
  return time.toISOString().replace('Z', '000Z')
}

function parsed(body: Uint8Array | undefined): unknown {
  if (!body || body.byteLength === 0) return undefined
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()) as unknown
  } catch {
    return undefined // Not JSON: nothing that an event could hold.
  }
}

function field(value: unknown, key: string): unknown {
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[key] : undefined
}

function nameOf(body: unknown): string {
  const name = field(field(body, 'metadata'), 'name')
  return typeof name === 'string' ? name : ''
}

/** Enabling and disabling an account are updates that an auditor looks for by these names. */
function verbOf({ verb, resource }: RequestInfo, body: unknown): string {
  if (verb !== 'update' || resource !== 'users') return verb
  const state = field(field(body, 'status'), 'state')
  return state === 'Active' ? 'enable' : state === 'Disabled' ? 'disable' : verb
}

/** Takes events and returns at once, whatever becomes of them. */
export interface AuditSink {
  /**
   * @param event made when it is needed: requests do not wait for that, and many at once are made faster
   * @param bodyBytes what it holds of bodies until then, for bounds of memory
   */
  accept(event: () => AuditEvent, bodyBytes: number): void
}
