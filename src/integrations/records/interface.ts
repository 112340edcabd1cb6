/**
 * A store of records: log lines, Events, or audit events, one store of each kind.
 *
 * Records are the documents that the platform's archives have always held, so that the same query means the same on
 * every backend. Words of a query mean what they mean in Elasticsearch: text is cut into words at everything that is
 * neither letter nor digit, and upper and lower case are one. Scripts without blanks between words, as Chinese, have
 * a word in every character, so that any part of a text is found. Whole values and patterns tell all of it apart.
 */

export type JsonDocument = Record<string, unknown>

/** A condition on one field, named by its path in the document (`involvedObject.name`). */
export type Match =
  /** The whole value. */
  | { field: string; is: string }
  /** These words, side by side in this order. */
  | { field: string; words: string }
  /** The same, and the last word may go on. */
  | { field: string; prefix: string }
  /** A pattern for the whole value, with `*` and `?`. */
  | { field: string; glob: string }
  /** A regular expression for the whole value, of the plain kind that Lucene shares with JavaScript. */
  | { field: string; pattern: string }
  | { field: string; number: number }

/** One of the places whose records may be read. */
export type ReadablePlace =
  /** Since when its records count; undefined: always. */
  | { field: string; is: string; since: Date | undefined }
  /** Records that have no such field. */
  | { lacks: string }

export interface RecordQuery {
  /** Records of any of these. `everything`: no bounds. */
  readable: readonly ReadablePlace[] | 'everything'
  /** All of these must hold, each by one of its alternatives. No alternatives: no record. */
  where: readonly (readonly Match[])[]
  /** Both inclusive. */
  from?: Date | undefined
  to?: Date | undefined
}

/** As Elasticsearch has it: the records before a deep page would all have to be found and thrown away. */
export const WINDOW = 10_000

/** `offset + limit` beyond `WINDOW` is a bad request. */
export interface PageOptions {
  offset: number
  limit: number
  order: 'asc' | 'desc'
}

export interface RecordPage {
  /** All that match, not only those of the page. */
  total: number
  documents: JsonDocument[]
}

export interface RecordStatistics {
  total: number
  /** Different containers, objects, or audit ids. */
  distinct: number
}

export interface RecordHistogram {
  total: number
  /** From the first bucket with a record to the last, those in between without gaps. Times in milliseconds. */
  buckets: { time: number; count: number }[]
}

/**
 * Queries reject with a StatusError for what the caller has asked wrongly (400) and for a backend that does not
 * answer (503) or fails (500, with its words).
 */
export interface RecordStore {
  /** Settles when the records are safe as far as the backend promises. Those without a time are left out. */
  append(documents: readonly JsonDocument[], signal?: AbortSignal): Promise<void>
  page(query: RecordQuery, options: PageOptions, signal?: AbortSignal): Promise<RecordPage>
  statistics(query: RecordQuery, signal?: AbortSignal): Promise<RecordStatistics>
  /** @param interval `15m`, `1h`, `day`, as Elasticsearch has them */
  histogram(query: RecordQuery, interval: string, signal?: AbortSignal): Promise<RecordHistogram>
  /** Newest first, in portions, at most `limit` records. */
  stream(query: RecordQuery, limit: number, signal?: AbortSignal): AsyncIterable<JsonDocument[]>
}

/** The stores of an installation. */
export interface RecordStores {
  logs: RecordStore
  events: RecordStore
  audits: RecordStore
}
