/**
 * The SQLite file under a segment: statements that are kept, and a connection that need not be there while nobody asks.
 */
import Database from 'libsql'
import { existsSync } from 'node:fs'

export type Row = Record<string, unknown>
export type Value = string | number | bigint | null

/** What SQLite keeps of a file that is written to, and of each that is searched: there may be two dozen of those. */
const CACHE_KIB = { written: 8_000, sealed: 1_000 }
const KEPT_STATEMENTS = 100

export class Connection {
  /** None of a full file until it is searched. */
  #database: Database.Database | undefined
  readonly #statements = new Map<string, Database.Statement>()

  /**
   * @param path `:memory:` for one that is not kept
   * @param setUp of a connection that is opened again; of the first, whoever opens it does that
   */
  constructor(
    private readonly path: string,
    private readonly setUp: string,
  ) {
    this.#database = opened(path, CACHE_KIB.written)
  }

  exec(sql: string): void {
    this.#opened.exec(sql)
  }

  run(sql: string, params: readonly Value[]): Database.RunResult {
    return this.#statement(sql).run(...params)
  }

  one(sql: string, params: readonly Value[] = []): Row {
    return this.#statement(sql).get(...params) as Row
  }

  all(sql: string, params: readonly Value[] = []): Row[] {
    return this.#statement(sql).all(...params) as Row[]
  }

  /**
   * Gives memory back, writes the write-ahead log into the file and closes it; what is in memory only stays open.
   *
   * @throws when the disk is full or the file damaged; then it stays open
   */
  seal(): void {
    this.#statements.clear()
    // A statement that is not collected yet keeps the connection, and with it what SQLite keeps.
    this.#database?.exec(
      `PRAGMA cache_size=-${CACHE_KIB.sealed}; PRAGMA shrink_memory; PRAGMA wal_checkpoint(TRUNCATE)`,
    )
    if (this.path !== ':memory:') this.close()
  }

  close(): void {
    this.#statements.clear()
    const database = this.#database
    this.#database = undefined
    database?.close()
  }

  get #opened(): Database.Database {
    return (this.#database ??= this.#again())
  }

  #again(): Database.Database {
    if (!existsSync(this.path)) throw new FileGone(this.path)
    return opened(this.path, CACHE_KIB.sealed, this.setUp)
  }

  #statement(sql: string): Database.Statement {
    let statement = this.#statements.get(sql)
    if (!statement) {
      if (this.#statements.size >= KEPT_STATEMENTS) this.#statements.clear()
      statement = this.#opened.prepare(sql).safeIntegers(true)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

function opened(path: string, cacheKib: number, setUp = ''): Database.Database {
  const database = new Database(path)
  try {
    database.exec(
      `PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-${cacheKib}; ${setUp}`,
    )
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Opened, it would be an empty one. */
export class FileGone extends Error {
  constructor(path: string) {
    super(`${path} is not there any more`)
  }
}

/** The file is no database, or not any more; other faults, such as a full disk, may pass. */
export function isDamage(error: unknown): boolean {
  if (error instanceof FileGone) return true
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^SQLITE_(?:CORRUPT|NOTADB)/.test(code)
}
