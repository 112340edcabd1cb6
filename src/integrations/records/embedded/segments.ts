/**
 * The files of one kind of record: written to the newest, searched all, and removed oldest first by age and size.
 *
 * Removing a file costs nothing in comparison with deleting records from a full-text index.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { badRequest } from '../../../apimachinery/errors/index.js'
import {
  type JsonDocument,
  type PageOptions,
  type RecordHistogram,
  type RecordPage,
  type RecordQuery,
  type RecordStatistics,
  WINDOW,
} from '../interface.js'
import { bucketAfter, bucketOf, countedMs, parseInterval } from '../intervals.js'
import { type KindSchema } from '../kinds.js'
import { isDamage } from './connection.js'
import { Segment } from './segment.js'
import { idAt } from './sql.js'

export interface Retention {
  maxAgeMs: number
  maxBytes: number
}

export interface SegmentsOptions extends Retention {
  /** Undefined: in memory only. */
  directory: string | undefined
  schema: KindSchema
  now?: () => number
  /** A file of this size is followed by another. Default: an eighth of `maxBytes`, at most 256 MiB. */
  segmentBytes?: number
  /** Told of files that could not be read. */
  onLost?: (file: string, error: unknown) => void
}

const MOST_BUCKETS = 65_536
const MIB = 1024 * 1024
/** Of one answer, so that no question fills the memory of the thread. */
const MOST_CHARACTERS = 32 * MIB
const DAY = 86_400_000

interface Found {
  id: bigint
  segment: Segment
}

/** Where a stream goes on: below this identifier, in files from this one on. */
export interface Cursor {
  id: bigint
  segment: number
}

export class Segments {
  readonly #options: SegmentsOptions
  readonly #segmentBytes: number
  readonly #now: () => number
  /** By number, oldest first. */
  readonly #segments = new Map<number, Segment>()
  /** The highest number that has been given; those of files that were set aside are not given again. */
  #opened = 0

  constructor(options: SegmentsOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#segmentBytes = options.segmentBytes ?? Math.min(options.maxBytes / 8, 256 * MIB)
    this.#openAll()
    this.prune()
  }

  get sizeBytes(): number {
    return [...this.#segments.values()].reduce((sum, segment) => sum + segment.sizeBytes, 0)
  }

  get files(): number {
    return this.#segments.size
  }

  append(documents: readonly JsonDocument[]): void {
    const newest = this.#newest()
    try {
      newest.append(documents)
    } catch (error) {
      if (!isDamage(error)) throw error
      this.#setAside(newest, error)
      this.#newest().append(documents)
    }
    this.prune()
  }

  page(query: RecordQuery, { offset, limit, order }: PageOptions): RecordPage {
    if (offset + limit > WINDOW)
      throw badRequest(`from + size must be at most ${WINDOW}: narrow the time or the filters, or export`)
    const total = this.#sum(query)
    const found = limit === 0 || offset >= total ? [] : this.#find(query, order, offset + limit)
    const wanted = found.slice(offset)
    const { documents, taken } = this.#documentsOf(wanted)
    if (taken < wanted.length)
      throw badRequest(`these ${wanted.length} records are too large for one answer: ask for fewer`)
    return { total, documents }
  }

  statistics(query: RecordQuery): RecordStatistics {
    const total = this.#sum(query)
    if (this.#options.schema.distinct === undefined) return { total, distinct: total }
    const values = new Set<string>()
    for (const found of this.#each((segment) => segment.distinct(query)))
      for (const value of found) values.add(value)
    return { total, distinct: values.size }
  }

  histogram(query: RecordQuery, text: string): RecordHistogram {
    const interval = parseInterval(text)
    const counts = new Map<number, number>()
    let total = 0
    for (const found of this.#each((segment) => segment.histogram(query, countedMs(interval)))) {
      for (const [time, count] of found) {
        const bucket = bucketOf(time, interval)
        counts.set(bucket, (counts.get(bucket) ?? 0) + count)
        total += count
      }
    }
    let first = Infinity
    let last = -Infinity
    for (const time of counts.keys()) {
      first = Math.min(first, time)
      last = Math.max(last, time)
    }
    if ((last - first) / (bucketAfter(first, interval) - first) > MOST_BUCKETS)
      throw badRequest(`the interval ${text} makes more than ${MOST_BUCKETS} buckets: take a longer one`)
    const buckets: RecordHistogram['buckets'] = []
    for (let time = first; time <= last; time = bucketAfter(time, interval))
      buckets.push({ time, count: counts.get(time) ?? 0 })
    return { total, buckets }
  }

  /** Newest first; @returns where to go on, undefined at the end */
  portion(
    query: RecordQuery,
    limit: number,
    after: Cursor | undefined,
  ): { documents: JsonDocument[]; after: Cursor | undefined } {
    const found = this.#find(query, 'desc', limit, after)
    const { documents, taken } = this.#documentsOf(found)
    const end = found[taken - 1]
    const goesOn = found.length === limit || taken < found.length
    return {
      documents,
      after: end && goesOn ? { id: end.id, segment: this.#numberOf(end.segment) } : undefined,
    }
  }

  /** Removes the oldest files while there is too much, and those whose records are all too old. */
  prune(): void {
    const { maxAgeMs, maxBytes } = this.#options
    const oldest = idAt(this.#now() - maxAgeMs)
    const ordered = [...this.#segments.entries()]
    const newest = ordered.at(-1)?.[0]
    let size = this.sizeBytes
    for (const [number, segment] of ordered) {
      const isOld = segment.bounds !== undefined && segment.bounds.last < oldest
      if (!isOld && (size <= maxBytes || number === newest)) continue
      size -= segment.sizeBytes
      this.#remove(number, segment)
    }
  }

  close(): void {
    this.#current()?.seal()
    for (const segment of this.#segments.values()) segment.close()
    this.#segments.clear()
  }

  #sum(query: RecordQuery): number {
    return this.#each((segment) => segment.count(query)).reduce((sum, count) => sum + count, 0)
  }

  /** What each file answers; one that turns out to be damaged is set aside, and the others answer. */
  #each<T>(ask: (segment: Segment) => T): T[] {
    return [...this.#segments.values()].flatMap((segment) => this.#asked(segment, ask) ?? [])
  }

  #asked<T>(segment: Segment, ask: (segment: Segment) => T): [T] | undefined {
    try {
      return [ask(segment)]
    } catch (error) {
      if (!isDamage(error)) throw error
      this.#setAside(segment, error)
      return undefined
    }
  }

  /** Of equal identifiers, that of the newer file comes first in `desc`. */
  #find(query: RecordQuery, order: 'asc' | 'desc', limit: number, after?: Cursor): Found[] {
    const sign = order === 'desc' ? -1 : 1
    const outermost = ({ bounds }: Segment): bigint => (order === 'desc' ? bounds?.last : bounds?.first) ?? 0n
    const candidates = [...this.#segments.entries()].sort(
      ([, a], [, b]) => sign * compare(outermost(a), outermost(b)),
    )
    let found: Found[] = []
    for (const [number, segment] of candidates) {
      const worst = found.length >= limit ? found.at(-1)?.id : undefined
      // Files hardly overlap in time, so mostly one is enough for a page.
      if (worst !== undefined && sign * compare(outermost(segment), worst) > 0) break
      const isBehind = after !== undefined && number < after.segment
      const beyond = after && (isBehind ? after.id + 1n : after.id)
      const [ids = []] = this.#asked(segment, () => segment.ids(query, { order, limit, after: beyond })) ?? []
      if (ids.length === 0) continue
      found = [...found, ...ids.map((id) => ({ id, segment }))]
        .sort((a, b) => sign * compare(a.id, b.id) || this.#numberOf(b.segment) - this.#numberOf(a.segment))
        .slice(0, limit)
    }
    return found
  }

  /**
   * In the order given, as long as they are not too large together; one is always given.
   *
   * @returns besides, how many of those found that makes
   */
  #documentsOf(found: readonly Found[]): { documents: JsonDocument[]; taken: number } {
    const documents: JsonDocument[] = []
    let size = 0
    for (const [i, { id, segment }] of found.entries()) {
      const [records = []] = this.#asked(segment, () => segment.documents([id])) ?? []
      for (const record of records) {
        size += record.size
        if (size > MOST_CHARACTERS && documents.length > 0) return { documents, taken: i }
        documents.push(record.document)
      }
    }
    return { documents, taken: found.length }
  }

  #numberOf(segment: Segment): number {
    for (const [number, other] of this.#segments) if (other === segment) return number
    return 0
  }

  /** The file that is written to: of at most a day, so that age is met closely enough. */
  #newest(): Segment {
    const newest = this.#current()
    const isFull =
      newest?.bounds !== undefined &&
      (newest.sizeBytes >= this.#segmentBytes ||
        this.#now() - newest.createdAt > Math.min(DAY, this.#options.maxAgeMs))
    if (newest && !isFull) return newest
    // Those as well that somebody has searched since the last was full.
    for (const segment of this.#segments.values()) segment.seal()
    const number = Math.max(newest === undefined ? 0 : this.#numberOf(newest), this.#opened) + 1
    const segment = new Segment(this.#pathOf(number), this.#options.schema, this.#now())
    this.#opened = number
    this.#segments.set(number, segment)
    return segment
  }

  #current(): Segment | undefined {
    return [...this.#segments.values()].at(-1)
  }

  #openAll(): void {
    const { directory, schema } = this.#options
    if (directory === undefined) return
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const names = readdirSync(directory)
    for (const name of names) if (/\.damaged(?:-wal)?$/.test(name)) this.#forget(join(directory, name))
    const numbers = names
      .flatMap((name) => /^(\d{8})\.db$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b)
    for (const number of numbers) {
      try {
        this.#segments.set(number, new Segment(this.#pathOf(number), schema, this.#now()))
      } catch (error) {
        // Whatever it is, it does not keep the others from being read; what may pass is tried again at the next start.
        if (isDamage(error)) this.#rename(number)
        this.#options.onLost?.(this.#pathOf(number), error)
      }
    }
    this.#opened = numbers.at(-1) ?? 0
    const newest = this.#current()
    for (const segment of this.#segments.values()) if (segment !== newest) segment.seal()
  }

  /** A damaged file is kept for whoever wants to look, as long as records are. */
  #forget(path: string): void {
    if (statSync(path).mtimeMs < this.#now() - this.#options.maxAgeMs) rmSync(path, { force: true })
  }

  #setAside(segment: Segment, error: unknown): void {
    const number = this.#numberOf(segment)
    this.#segments.delete(number)
    try {
      segment.close()
    } catch {
      // It is as good as closed.
    }
    if (this.#options.directory !== undefined) this.#rename(number)
    this.#options.onLost?.(this.#pathOf(number), error)
  }

  #rename(number: number): void {
    const path = this.#pathOf(number)
    for (const suffix of ['', '-wal'])
      if (existsSync(path + suffix)) renameSync(path + suffix, `${path}.damaged${suffix}`)
    rmSync(`${path}-shm`, { force: true })
  }

  #pathOf(number: number): string {
    const { directory } = this.#options
    return directory === undefined ? ':memory:' : join(directory, `${String(number).padStart(8, '0')}.db`)
  }

  #remove(number: number, segment: Segment): void {
    segment.close()
    this.#segments.delete(number)
    if (this.#options.directory === undefined) return
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.#pathOf(number) + suffix, { force: true })
  }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
