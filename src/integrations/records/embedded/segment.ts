/**
 * One file of records: an SQLite database that is only added to, and removed as a whole when it is old enough.
 *
 * The identifier of a record begins with its time. So a range of time is a range of identifiers, the order of time is
 * the order of the file, and the full-text index alone knows the times of its hits.
 */
import { statSync } from 'node:fs'
import { type JsonDocument, type RecordQuery } from '../interface.js'
import { type KindSchema, valueAt } from '../kinds.js'
import { Connection, isDamage, type Row, type Value } from './connection.js'
import { COUNTS_DEFINITION, COUNTS_INSERT, countedRows, MINUTE_MS } from './counts.js'
import { type CompiledQuery, compile, FIRST_ID, idAt, LAST_ID, LAST_MS, SERIAL_BITS, spaced } from './sql.js'

const NEVER = '9223372036854775807'
const KNOWN_FACETS = 20_000
const SERIALS = 1 << Number(SERIAL_BITS)
/** Above this share of the shared values, records are looked through in order of time instead of value by value. */
const MANY = 0.1
/** That a letter alone stands for; Elasticsearch's number. */
const MOST_WORDS = 50

export interface SegmentRecord {
  document: JsonDocument
  /** Characters that are kept of it alone. */
  size: number
}

export interface IdRange {
  order: 'asc' | 'desc'
  limit: number
  /** Only what comes after this identifier in the order. */
  after?: bigint | undefined
}

/** Where the records of a query can be. */
interface Reach {
  first: bigint
  last: bigint
  text: string | undefined
  isChosen: boolean
}

export class Segment {
  readonly #db: Connection
  readonly #facets = new Map<string, number | bigint>()
  readonly #columns: string[]
  /** Files of earlier versions have none. */
  readonly #hasCounts: boolean
  #serial: number
  #bounds: { first: bigint; last: bigint } | undefined
  /** The query that `chosen` was filled for, and how many shared values there were. */
  #chosenFor = ''
  #chosen = { rows: 0, of: 0 }

  /** When the file was begun, in milliseconds, to the minute. */
  readonly createdAt: number

  /** @param path `:memory:` for one that is not kept */
  constructor(
    readonly path: string,
    private readonly schema: KindSchema,
    now: number,
  ) {
    this.#columns = schema.fields.map((_, column) => `c${column}`)
    this.#db = new Connection(path, this.#workingTables())
    this.createdAt = this.#begun(now)
    this.#db.exec(this.#definitions() + this.#workingTables())
    this.#hasCounts =
      this.#db.one(`SELECT count(*) AS n FROM sqlite_master WHERE name = 'counts'`)['n'] !== 0n
    this.#serial = Number(this.#db.one('SELECT count(*) AS n FROM records')['n']) % SERIALS
    this.#bounds = this.#readBounds()
  }

  /** Undefined when there are no records. */
  get bounds(): { first: bigint; last: bigint } | undefined {
    return this.#bounds
  }

  get sizeBytes(): number {
    if (this.path !== ':memory:') return sizeOf(this.path) + sizeOf(`${this.path}-wal`)
    return Number(
      this.#db.one('SELECT page_count * page_size AS n FROM pragma_page_count, pragma_page_size')['n'],
    )
  }

  append(documents: readonly JsonDocument[]): void {
    const { time, text } = this.schema
    const counts = new Map<string, { facet: Value; minute: number; n: number }>()
    this.#db.exec('BEGIN')
    try {
      for (const document of documents) {
        const ms = Date.parse(String(valueAt(document, time)))
        if (!(Math.abs(ms) < LAST_MS)) continue
        const words = text === undefined ? undefined : textOf(valueAt(document, text))
        const body = this.schema.kind === 'logs' ? (words ?? '') : JSON.stringify(document)
        const facet = this.#facetOf(document)
        const id = this.#insert(ms, facet, body)
        const minute = Math.floor(ms / MINUTE_MS)
        const count = counts.get(`${facet} ${minute}`)
        if (count) count.n++
        else counts.set(`${facet} ${minute}`, { facet, minute, n: 1 })
        if (words !== undefined)
          this.#db.run('INSERT INTO words(rowid, text) VALUES (?, ?)', [id, spaced(words)])
      }
      if (this.#hasCounts)
        for (const { facet, minute, n } of counts.values()) this.#db.run(COUNTS_INSERT, [facet, minute, n])
      this.#db.exec('COMMIT')
    } catch (error) {
      this.#facets.clear()
      this.#chosenFor = ''
      this.#rollBack()
      this.#bounds = this.#readBounds()
      throw error
    }
  }

  count(query: RecordQuery): number {
    const counted = this.#counted(query)
    if (counted) return Number(this.#db.one(`SELECT sum(n) AS n FROM (${counted.sql})`, counted.params)['n'])
    const found = this.#find(query)
    if (!found) return 0
    return Number(
      this.#db.one(`SELECT count(*) AS n FROM ${found.from} WHERE ${found.where}`, found.params)['n'],
    )
  }

  /** Start of bucket in milliseconds → records. */
  histogram(query: RecordQuery, widthMs: number): Map<number, number> {
    const rows = this.#buckets(query, widthMs)
    return new Map(rows.map((row) => [Number(row['bucket']) * widthMs, Number(row['n'])]))
  }

  #buckets(query: RecordQuery, widthMs: number): Row[] {
    const counted = widthMs % MINUTE_MS === 0 ? this.#counted(query) : undefined
    if (counted)
      return this.#db.all(
        `SELECT ms / ${widthMs} AS bucket, sum(n) AS n FROM (${counted.sql}) GROUP BY bucket`,
        counted.params,
      )
    const found = this.#find(query)
    if (!found) return []
    const { id, from, where, params } = found
    return this.#db.all(
      `SELECT (${id} >> ${SERIAL_BITS}) / ${widthMs} AS bucket, count(*) AS n FROM ${from} WHERE ${where} GROUP BY bucket`,
      params,
    )
  }

  /** The different values of the field that statistics count. */
  distinct(query: RecordQuery): Set<string> {
    const column = this.schema.fields.findIndex(({ path }) => path === this.schema.distinct)
    const counted = this.#counted(query)
    const found = counted ? undefined : this.#find(query, { withRecords: true })
    if (column < 0 || !(counted ?? found)) return new Set()
    const facets = counted
      ? `SELECT facet FROM (${counted.sql})`
      : `SELECT records.facet FROM ${found?.from ?? ''} WHERE ${found?.where ?? ''}`
    const rows = this.#db.all(
      `SELECT DISTINCT f.c${column} AS value FROM facets f WHERE f.id IN (${facets}) AND value IS NOT NULL`,
      counted?.params ?? found?.params ?? [],
    )
    return new Set(rows.map((row) => String(row['value'])))
  }

  ids(query: RecordQuery, { order, limit, after }: IdRange): bigint[] {
    const reach = this.#reach(query)
    if (reach?.isChosen && reach.text === undefined && !this.#areMany)
      return this.#idsByFacet(reach, { order, limit, after })
    const found = this.#find(query, { inOrder: true })
    if (!found) return []
    const { id, from, where, params } = found
    const beyond = after === undefined ? '' : ` AND ${id} ${order === 'desc' ? '<' : '>'} ?`
    const rows = this.#db.all(
      `SELECT ${id} AS id FROM ${from} WHERE ${where}${beyond} ORDER BY ${id} ${order} LIMIT ?`,
      [...params, ...(after === undefined ? [] : [after]), limit],
    )
    return rows.map((row) => BigInt(row['id'] as bigint))
  }

  /** The outermost of each row of shared values, through the index; of all of those, the outermost. */
  #idsByFacet({ first, last }: Reach, { order, limit, after }: IdRange): bigint[] {
    const isDown = order === 'desc'
    const from = !isDown && after !== undefined && after >= first ? after + 1n : first
    const to = isDown && after !== undefined && after <= last ? after - 1n : last
    return this.#db
      .all('SELECT id, since FROM chosen')
      .flatMap(({ id, since }) =>
        this.#db.all(
          `SELECT id FROM records WHERE facet = ? AND id BETWEEN ? AND ? ORDER BY id ${order} LIMIT ?`,
          [id as bigint, (since as bigint) > from ? (since as bigint) : from, to, limit],
        ),
      )
      .map((row) => row['id'] as bigint)
      .sort((a, b) => (a === b ? 0 : a < b === isDown ? 1 : -1))
      .slice(0, limit)
  }

  documents(ids: readonly bigint[]): SegmentRecord[] {
    const values = this.schema.kind === 'logs' ? this.#columns.map((name) => `, f.${name}`).join('') : ''
    return ids.map((id) => {
      const row = this.#db.one(
        `SELECT r.body${values} FROM records r JOIN facets f ON f.id = r.facet WHERE r.id = ?`,
        [id],
      )
      const body = String(row['body'])
      return { document: this.#documentOf(id, body, row), size: body.length }
    })
  }

  /**
   * Nothing more will be written: the write-ahead log goes into the file, which is closed until somebody searches it.
   *
   * Where it cannot, since the disk is full or the file damaged, it stays; who reads the file next will tell.
   */
  seal(): void {
    this.#facets.clear()
    this.#chosenFor = ''
    try {
      this.#db.seal()
    } catch {
      // As said above.
    }
  }

  close(): void {
    this.#db.close()
  }

  /** SQLite has done it by itself after some faults, such as a full disk. */
  #rollBack(): void {
    try {
      this.#db.exec('ROLLBACK')
    } catch (error) {
      if (isDamage(error)) throw error
    }
  }

  #definitions(): string {
    const { fields, text } = this.schema
    const types = fields.map(({ isNumber }, column) => `c${column} ${isNumber ? 'INTEGER' : 'TEXT'}`)
    const worded = this.#worded()
    const tokenize = `tokenize = "unicode61 remove_diacritics 0"`
    return `
      CREATE TABLE IF NOT EXISTS facets(id INTEGER PRIMARY KEY, ${types.join(', ')});
      CREATE TABLE IF NOT EXISTS records(id INTEGER PRIMARY KEY, facet INTEGER NOT NULL, body TEXT NOT NULL);
      CREATE INDEX IF NOT EXISTS records_by_facet ON records(facet);
      ${worded.length > 0 ? `CREATE VIRTUAL TABLE IF NOT EXISTS facet_words USING fts5(${worded.join(', ')}, content = '', columnsize = 0, ${tokenize});` : ''}
      ${text === undefined ? '' : `CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(text, content = '', columnsize = 0, ${tokenize});`}`
  }

  /** Of each connection, gone with it. */
  #workingTables(): string {
    return `
      ${this.schema.text === undefined ? '' : 'CREATE VIRTUAL TABLE temp.words_from USING fts5vocab(main, words, row);'}
      CREATE TEMP TABLE places(field INTEGER, value TEXT, since INTEGER, PRIMARY KEY (field, value)) WITHOUT ROWID;
      CREATE TEMP TABLE chosen(id INTEGER PRIMARY KEY, since INTEGER NOT NULL);`
  }

  /** Kept where SQLite leaves room for a number of the application's. */
  #begun(now: number): number {
    const isNew = this.#db.one(`SELECT count(*) AS n FROM sqlite_master`)['n'] === 0n
    if (isNew) this.#db.exec(`PRAGMA user_version = ${Math.trunc(now / MINUTE_MS)}; ${COUNTS_DEFINITION}`)
    return Number(this.#db.one('PRAGMA user_version')['user_version']) * MINUTE_MS
  }

  #worded(): string[] {
    return this.#columns.filter((_, column) => this.schema.fields[column]?.hasWords)
  }

  #insert(ms: number, facet: number | bigint, body: string): bigint {
    for (;;) {
      this.#serial = (this.#serial + 1) % SERIALS
      const id = idAt(ms) + BigInt(this.#serial)
      const { changes } = this.#db.run('INSERT OR IGNORE INTO records(id, facet, body) VALUES (?, ?, ?)', [
        id,
        facet,
        body,
      ])
      if (changes === 0) continue // Taken before the file was last opened.
      const { first = id, last = id } = this.#bounds ?? {}
      this.#bounds = { first: id < first ? id : first, last: id > last ? id : last }
      return id
    }
  }

  /** Equal values may be there twice, after a restart for example; that costs a row and changes no answer. */
  #facetOf(document: JsonDocument): number | bigint {
    const values = this.schema.fields.map(({ path, isNumber }) =>
      facetValue(valueAt(document, path), isNumber),
    )
    const key = JSON.stringify(values)
    const known = this.#facets.get(key)
    if (known !== undefined) return known
    const marks = this.#columns.map(() => '?').join(', ')
    const { lastInsertRowid: id } = this.#db.run(
      `INSERT INTO facets(${this.#columns.join(', ')}) VALUES (${marks})`,
      values,
    )
    const worded = this.#worded()
    if (worded.length > 0) {
      const texts = values
        .filter((_, column) => this.schema.fields[column]?.hasWords)
        .map((value) => (typeof value === 'string' ? spaced(value) : value))
      this.#db.run(
        `INSERT INTO facet_words(rowid, ${worded.join(', ')}) VALUES (?, ${worded.map(() => '?').join(', ')})`,
        [id, ...texts],
      )
    }
    if (this.#facets.size >= KNOWN_FACETS) this.#facets.clear()
    this.#facets.set(key, id)
    this.#chosenFor = ''
    return id
  }

  #documentOf(id: bigint, body: string, row: Row): JsonDocument {
    if (this.schema.kind !== 'logs') return JSON.parse(body) as JsonDocument
    const kubernetes: JsonDocument = {}
    for (const [column, { path }] of this.schema.fields.entries()) {
      const value = row[`c${column}`]
      if (value !== null) kubernetes[path.slice(path.indexOf('.') + 1)] = value
    }
    return { log: body, time: new Date(Number(id >> SERIAL_BITS)).toISOString(), kubernetes }
  }

  /** Rows to be added up, where they tell all; undefined: the records have to be looked at, or there are none. */
  #counted(query: RecordQuery): ReturnType<typeof countedRows> {
    const bounds = this.#bounds
    const reach = this.#hasCounts ? this.#reach(query) : undefined
    if (!bounds || !reach || reach.text !== undefined) return undefined
    return countedRows(reach, bounds, reach.isChosen)
  }

  /** @returns undefined when no record of this file can match */
  #reach(query: RecordQuery): Reach | undefined {
    const bounds = this.#bounds
    if (!bounds) return undefined
    const compiled = compile(
      this.schema,
      query,
      (column, pattern) => this.#valuesLike(column, pattern),
      (prefix) => this.#wordsFrom(prefix),
    )
    const { isEmpty, facets, places, text } = compiled
    const first = compiled.first > bounds.first ? compiled.first : bounds.first
    const last = compiled.last < bounds.last ? compiled.last : bounds.last
    if (isEmpty || first > last) return undefined
    const isChosen = facets !== undefined || places !== undefined
    if (isChosen && this.#choose(compiled) === 0) return undefined
    return { first, last, text, isChosen }
  }

  /**
   * The part of a statement that finds the records of a query.
   *
   * @returns undefined when there are none in this file
   */
  #find(
    query: RecordQuery,
    { withRecords = false, inOrder = false } = {},
  ): { id: string; from: string; where: string; params: Value[] } | undefined {
    const bounds = this.#bounds
    if (!bounds) return undefined
    const reach = this.#reach(query)
    if (!reach) return undefined
    const { first, last, text, isChosen } = reach
    const id = text === undefined ? 'records.id' : 'words.rowid'
    const isWhole = first === bounds.first && last === bounds.last
    const conditions: { sql: string; params: Value[] }[] = []
    if (text !== undefined) conditions.push({ sql: 'words MATCH ?', params: [text] })
    // Without this condition a whole file can be counted through its smallest index.
    if (!isWhole || inOrder) conditions.push({ sql: `${id} BETWEEN ? AND ?`, params: [first, last] })
    if (isChosen) conditions.push({ sql: `${id} >= chosen.since`, params: [] })
    return {
      id,
      from: this.#source(text !== undefined, isChosen, withRecords, inOrder),
      where: conditions.map(({ sql }) => sql).join(' AND ') || '1',
      params: conditions.flatMap(({ params }) => params),
    }
  }

  /** CROSS JOIN keeps SQLite to the order given. */
  #source(hasText: boolean, isChosen: boolean, withRecords: boolean, inOrder: boolean): string {
    if (hasText) {
      const records = 'words CROSS JOIN records ON records.id = words.rowid'
      if (isChosen) return `${records} CROSS JOIN chosen ON chosen.id = records.facet`
      return withRecords ? records : 'words'
    }
    if (!isChosen) return 'records'
    return inOrder && this.#areMany
      ? 'records CROSS JOIN chosen ON chosen.id = records.facet'
      : 'chosen CROSS JOIN records ON records.facet = chosen.id'
  }

  get #areMany(): boolean {
    return this.#chosen.rows > this.#chosen.of * MANY
  }

  /** Fills `chosen` with the shared values that a query admits, and since when. @returns how many */
  #choose({ facets, places }: CompiledQuery): number {
    const key = JSON.stringify([facets, places])
    if (key === this.#chosenFor) return this.#chosen.rows
    this.#db.exec('DELETE FROM chosen; DELETE FROM places')
    if (places && places.rows.length > 0)
      this.#db.run(
        `INSERT OR IGNORE INTO places SELECT value ->> 0, value ->> 1, CAST(value ->> 2 AS INTEGER) FROM json_each(?)`,
        [JSON.stringify(places.rows)],
      )
    const sinces = places && [
      ...places.columns.map(
        (column) =>
          `coalesce((SELECT p.since FROM places p WHERE p.field = ${column} AND p.value = f.c${column}), ${NEVER})`,
      ),
      ...places.lacks.map((column) => `iif(f.c${column} IS NULL, ${FIRST_ID}, ${NEVER})`),
      NEVER, // min() of a single value would be the aggregate.
      NEVER,
    ]
    const since = sinces ? `min(${sinces.join(', ')})` : String(FIRST_ID)
    this.#db.run(
      `INSERT INTO chosen SELECT id, since FROM (SELECT f.id AS id, ${since} AS since FROM facets f WHERE ${facets?.sql ?? '1'}) WHERE since <= ${LAST_ID}`,
      facets?.params ?? [],
    )
    const { chosen, all } = this.#db.one(
      'SELECT (SELECT count(*) FROM chosen) AS chosen, (SELECT count(*) FROM facets) AS "all"',
    )
    this.#chosen = { rows: Number(chosen), of: Number(all) }
    this.#chosenFor = key
    return this.#chosen.rows
  }

  #valuesLike(column: string, pattern: RegExp): string[] {
    return this.#db
      .all(`SELECT DISTINCT ${column} AS value FROM facets WHERE ${column} IS NOT NULL`)
      .map((row) => String(row['value']))
      .filter((value) => pattern.test(value))
  }

  /** The first in the order of the index. */
  #wordsFrom(prefix: string): string[] {
    return this.#db
      .all('SELECT term FROM words_from WHERE term >= ? AND term < ? LIMIT ?', [
        prefix,
        `${prefix}\u{10FFFF}`,
        MOST_WORDS,
      ])
      .map((row) => String(row['term']))
  }

  #readBounds(): { first: bigint; last: bigint } | undefined {
    const { first, last } = this.#db.one(
      'SELECT (SELECT min(id) FROM records) AS first, (SELECT max(id) FROM records) AS last',
    )
    if (first === null || last === null) return undefined
    return { first: BigInt(first as bigint), last: BigInt(last as bigint) }
  }
}

/** Lists are searched by patterns only, so they are kept as lines. */
function facetValue(value: unknown, isNumber = false): string | number | null {
  if (value === undefined) return null
  if (isNumber) return typeof value === 'number' && Number.isSafeInteger(value) ? value : null
  if (Array.isArray(value)) return value.map(String).join('\n')
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Of something that should be text. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value)
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
