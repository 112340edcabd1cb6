/** What the store's thread is asked, and answers. */
import { StatusError } from '../../../apimachinery/errors/index.js'
import { type JsonDocument, type PageOptions, type RecordQuery } from '../interface.js'
import { type RecordKind } from '../kinds.js'
import { type Cursor, type Retention } from './segments.js'

/** What the worker is started with; other users of worker threads have other data. */
export const ROLE = 'orrery records'

export interface ThreadOptions {
  /** Undefined: in memory only. */
  directory: string | undefined
  retention: Record<RecordKind, Retention>
}

export type Question = { kind: RecordKind } & (
  | { ask: 'append'; documents: readonly JsonDocument[] }
  | { ask: 'page'; query: RecordQuery; options: PageOptions }
  | { ask: 'statistics'; query: RecordQuery }
  | { ask: 'histogram'; query: RecordQuery; interval: string }
  | { ask: 'portion'; query: RecordQuery; limit: number; after: Cursor | undefined }
)

export type Reply =
  { value: unknown } | { fault: { code: number; reason?: string | undefined; message: string } }

/** What the thread says without being asked. */
export interface Notice {
  notice: string
  file: string
  error: string
}

export function faultOf(error: unknown): Reply {
  if (error instanceof StatusError) {
    const { code, reason, message } = error
    return { fault: { code, reason, message } }
  }
  return { fault: { code: 500, message: error instanceof Error ? error.message : String(error) } }
}
