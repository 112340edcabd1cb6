/**
 * Samples of the past, in a file of SQLite: for each level and time one row with all its series. Bounded by age and by size;
 * where a level takes more than its share, its oldest samples go.
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import Database from 'libsql'
import { LEVELS, type SampledLevel, type SampledSeries, type Snapshot } from './series.js'

export interface FramesOptions {
  /** Undefined: in memory. */
  file: string | undefined
  maxAgeSeconds: number
  maxBytes: number
  /** Told when a file could not be read and another was begun. */
  damaged?: (movedTo: string, error: Error) => void
}

/** Of series that were decoded lately; a question asks for many metrics of the same times. */
const REMEMBERED = 2_000

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  CREATE TABLE IF NOT EXISTS frames (
    level TEXT NOT NULL, time INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (level, time)
  ) WITHOUT ROWID;
  PRAGMA synchronous = NORMAL;
`

export class Frames {
  readonly #database: InstanceType<typeof Database>
  readonly #options: FramesOptions
  readonly #decoded = new Map<string, readonly SampledSeries[]>()

  constructor(options: FramesOptions) {
    this.#options = options
    this.#database = open(options)
  }

  add({ time, levels }: Snapshot): void {
    const insert = this.#database.prepare('INSERT OR REPLACE INTO frames VALUES (?, ?, ?)')
    this.#database.transaction(() => {
      for (const level of LEVELS) insert.run(level, Math.floor(time), encode(levels[level]))
    })()
    this.#prune(time)
  }

  /** The times that there are samples of, ascending. */
  times(level: SampledLevel, from: number, to: number): number[] {
    const rows = this.#database
      .prepare('SELECT time FROM frames WHERE level = ? AND time BETWEEN ? AND ? ORDER BY time')
      .all(level, from, to) as { time: number }[]
    return rows.map(({ time }) => time)
  }

  /** @param time one of `times` */
  series(level: SampledLevel, time: number): readonly SampledSeries[] {
    const key = `${level}/${time}`
    const known = this.#decoded.get(key)
    if (known) return known
    const row = this.#database
      .prepare('SELECT body FROM frames WHERE level = ? AND time = ?')
      .get(level, time) as { body: Uint8Array } | undefined
    const series = row ? decode(row.body) : []
    if (this.#decoded.size >= REMEMBERED) this.#decoded.clear()
    this.#decoded.set(key, series)
    return series
  }

  get sizeBytes(): number {
    return LEVELS.reduce((sum, level) => sum + this.#sizeOf(level), 0)
  }

  close(): void {
    this.#database.close()
  }

  #prune(now: number): void {
    const { maxAgeSeconds, maxBytes } = this.#options
    this.#database.prepare('DELETE FROM frames WHERE time < ?').run(Math.floor(now - maxAgeSeconds))
    for (const level of LEVELS) {
      for (let size = this.#sizeOf(level); size > maxBytes / LEVELS.length; size = this.#sizeOf(level)) {
        const removed = this.#database
          .prepare(
            'DELETE FROM frames WHERE level = ?1 AND time IN (SELECT time FROM frames WHERE level = ?1 ORDER BY time LIMIT max(1, (SELECT count(*) FROM frames WHERE level = ?1) / 10))',
          )
          .run(level)
        if (removed.changes === 0) break
      }
    }
  }

  #sizeOf(level: SampledLevel): number {
    const row = this.#database
      .prepare('SELECT coalesce(sum(length(body)), 0) AS size FROM frames WHERE level = ?')
      .get(level) as { size: number }
    return row.size
  }
}

function open({ file, damaged }: FramesOptions): InstanceType<typeof Database> {
  if (file === undefined) return prepared(':memory:')
  mkdirSync(dirname(file), { recursive: true })
  try {
    return prepared(file)
  } catch (error) {
    const movedTo = `${file}.damaged-${Date.now()}`
    for (const suffix of ['', '-wal', '-shm']) {
      try {
        renameSync(file + suffix, movedTo + suffix)
      } catch {
        // There was none.
      }
    }
    damaged?.(movedTo, error as Error)
    return prepared(file)
  }
}

function prepared(file: string): InstanceType<typeof Database> {
  // In a new file there is nothing yet that a power cut could take, and a start waits for six syncs of it.
  const isNew = !existsSync(file)
  const database = new Database(file)
  database.exec(`PRAGMA synchronous = ${isNew ? 'OFF' : 'NORMAL'}; ${SCHEMA}`)
  return database
}

function encode(series: readonly SampledSeries[]): Buffer {
  const rows = series.map(({ labels, values }) => [labels, values])
  return deflateRawSync(JSON.stringify(rows), { level: 1 })
}

function decode(body: Uint8Array): SampledSeries[] {
  const rows = JSON.parse(inflateRawSync(body).toString('utf8')) as [
    SampledSeries['labels'],
    SampledSeries['values'],
  ][]
  return rows.map(([labels, values]) => ({ labels, values }))
}
