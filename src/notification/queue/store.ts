/**
 * One SQLite file. Statements are prepared once.
 *
 * A transaction is written to the write-ahead log at once, and is on disk for sure after `sync`, which waits in a thread
 * of its own. SQLite itself syncs the log before it moves it into the file.
 */
import { type FileHandle, open } from 'node:fs/promises'
import Database from 'libsql'

type Handle = InstanceType<typeof Database>

interface Statement {
  all(...values: unknown[]): unknown[]
  run(...values: unknown[]): unknown
}

export class Store {
  readonly #db: Handle
  #log: Promise<FileHandle> | undefined
  readonly #statements = new Map<string, Statement>()

  /** @throws Error when the file is no database, or a damaged one */
  constructor(
    private readonly file: string,
    schema: string,
  ) {
    const db = new Database(file)
    try {
      db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${schema}`)
    } catch (error) {
      db.close()
      throw error
    }
    this.#db = db
  }

  all<T>(sql: string, ...values: unknown[]): T[] {
    return this.#prepared(sql).all(...values) as T[]
  }

  first<T>(sql: string, ...values: unknown[]): T | undefined {
    return this.all<T>(sql, ...values)[0]
  }

  run(sql: string, ...values: unknown[]): void {
    this.#prepared(sql).run(...values)
  }

  atOnce(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#db.exec('COMMIT')
    } catch (error) {
      try {
        this.#db.exec('ROLLBACK')
      } catch {
        // SQLite has rolled back by itself, as it does when the disk is full.
      }
      throw error
    }
  }

  /** Settles when all transactions so far are on disk. */
  async sync(): Promise<void> {
    if (this.file === ':memory:') return
    // The log is there as long as the file is open.
    this.#log ??= open(`${this.file}-wal`, 'r')
    await (await this.#log).datasync()
  }

  close(): void {
    void this.#log?.then((log) => log.close())
    this.#statements.clear()
    // All of it in one file, for whoever opens it next.
    try {
      this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch {
      // A disk that is full: the log is read when it is opened again.
    }
    this.#db.close()
  }

  /** Of the same text, one: texts are constants, except that of queries over the history. */
  #prepared(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}
