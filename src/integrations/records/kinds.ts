/** What is searched for in each kind of record: fields by their paths in the documents. */

export type RecordKind = 'logs' | 'events' | 'audits'

export interface FieldSchema {
  path: string
  /** Searched word by word, besides as a whole. */
  hasWords?: boolean
  isNumber?: boolean
}

export interface KindSchema {
  kind: RecordKind
  /** Where the record's own time is. */
  time: string
  /** Values that many records share. */
  fields: readonly FieldSchema[]
  /** The text that only this record has; searched by words alone. */
  text: string | undefined
  /** What statistics count the different values of; undefined: every record has its own. */
  distinct: string | undefined
  /** The field that tells records apart, by its name in Elasticsearch. */
  distinctName: string
}

export const LOGS: KindSchema = {
  kind: 'logs',
  time: 'time',
  fields: [
    { path: 'kubernetes.namespace_name' },
    { path: 'kubernetes.pod_name', hasWords: true },
    { path: 'kubernetes.container_name', hasWords: true },
    { path: 'kubernetes.docker_id' },
  ],
  text: 'log',
  distinct: 'kubernetes.docker_id',
  distinctName: 'kubernetes.docker_id.keyword',
}

export const EVENTS: KindSchema = {
  kind: 'events',
  time: 'lastTimestamp',
  fields: [
    { path: 'involvedObject.namespace' },
    { path: 'involvedObject.name', hasWords: true },
    { path: 'involvedObject.kind', hasWords: true },
    { path: 'involvedObject.uid' },
    { path: 'reason', hasWords: true },
    { path: 'type', hasWords: true },
  ],
  text: 'message',
  distinct: 'involvedObject.uid',
  distinctName: 'involvedObject.uid.keyword',
}

export const AUDITS: KindSchema = {
  kind: 'audits',
  time: 'RequestReceivedTimestamp',
  fields: [
    { path: 'Workspace' },
    { path: 'ObjectRef.Namespace' },
    { path: 'ObjectRef.Name' },
    { path: 'ObjectRef.Resource', hasWords: true },
    { path: 'ObjectRef.Subresource', hasWords: true },
    { path: 'Verb' },
    { path: 'Level' },
    { path: 'User.Username' },
    { path: 'User.Groups' },
    { path: 'SourceIPs' },
    { path: 'ResponseStatus.code', isNumber: true },
    { path: 'ResponseStatus.status' },
  ],
  text: undefined,
  distinct: undefined,
  distinctName: 'AuditID.keyword',
}

export const KINDS: Record<RecordKind, KindSchema> = { logs: LOGS, events: EVENTS, audits: AUDITS }

/** @returns what is at the path, undefined when nothing is or `null` */
export function valueAt(document: unknown, path: string): unknown {
  let value = document
  for (const key of path.split('.')) {
    if (value === null || typeof value !== 'object') return undefined
    value = (value as Record<string, unknown>)[key]
  }
  return value ?? undefined
}
