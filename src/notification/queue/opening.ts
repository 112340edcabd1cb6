/**
 * Opens the journal, also one that is damaged: that is moved aside, for whoever wants to look into it, and what of it can
 * be read goes on in a new one. A manager that does not start tells nobody anything.
 */
import Database from 'libsql'
import { existsSync, renameSync } from 'node:fs'
import { type Logger } from '../../serving/log.js'
import { Journal, SCHEMA } from './journal.js'
import { Store } from './store.js'

type Handle = InstanceType<typeof Database>

/** In the order of what would be missed most. */
const TABLES = ['inbox', 'deliveries', 'told', 'unreported', 'history']

/** @throws Error when no file can be written there at all */
export function openJournal(file: string, logger: Logger): Journal {
  try {
    return new Journal(checked(file))
  } catch (error) {
    // Held by another process, or on a disk that is full: it may be in order.
    if (!existsSync(file) || !isDamage(error)) throw error
    const aside = `${file}.damaged-${new Date().toISOString().replace(/[:.]/g, '-')}`
    for (const end of ['', '-wal', '-shm']) if (existsSync(file + end)) renameSync(file + end, aside + end)
    const store = new Store(file, SCHEMA)
    const saved = salvage(aside, store)
    logger.error(
      { err: error, aside, ...saved },
      'the journal of notifications is damaged: it was moved aside, and what could be read of it goes on',
    )
    return new Journal(store)
  }
}

/** @throws Error when it is damaged */
function checked(file: string): Store {
  const isNew = !existsSync(file)
  const store = new Store(file, SCHEMA)
  if (isNew) return store
  try {
    const [found] = store.all<{ quick_check: string }>('PRAGMA quick_check(1)')
    if (found?.quick_check !== 'ok') throw new Error(`malformed: ${found?.quick_check}`)
    return store
  } catch (error) {
    store.close()
    throw error
  }
}

const isDamage = (error: unknown): boolean =>
  /malformed|not a database|corrupt|no such column|has no column/i.test((error as Error).message)

/** @returns how many rows of each table were read */
function salvage(from: string, to: Store): Record<string, number> {
  const saved: Record<string, number> = {}
  let damaged: Handle
  try {
    damaged = new Database(from)
  } catch {
    return saved
  }
  for (const table of TABLES) {
    const columns = to.all<{ name: string }>(`PRAGMA table_info(${table})`).map(({ name }) => name)
    const seen = new Set<string>()
    // From either end, up to the place that cannot be read.
    for (const order of ['ASC', 'DESC'])
      for (const row of rows(damaged, table, columns[0] ?? '', order)) {
        const known = columns.filter((name) => row[name] !== undefined && row[name] !== null)
        const id = String(row[columns[0] ?? ''])
        if (seen.has(id)) break
        seen.add(id)
        if (isWhole(row)) insert(to, table, known, row)
      }
    saved[table] = seen.size
  }
  damaged.close()
  return saved
}

function* rows(
  db: Handle,
  table: string,
  key: string,
  order: string,
): Generator<Readonly<Record<string, unknown>>> {
  try {
    const all = db.prepare(`SELECT * FROM ${table} ORDER BY ${key} ${order}`).iterate() as Iterable<
      Record<string, unknown>
    >
    yield* all
  } catch {
    // The rest of it cannot be read from this end.
  }
}

/** Text of a page that was overwritten may be anything. */
function isWhole(row: Readonly<Record<string, unknown>>): boolean {
  try {
    for (const name of ['alert', 'alerts', 'body', 'receivers'])
      if (typeof row[name] === 'string' && /^[[{]/.test(row[name])) JSON.parse(row[name])
    return true
  } catch {
    return false
  }
}

function insert(
  to: Store,
  table: string,
  columns: readonly string[],
  row: Readonly<Record<string, unknown>>,
): void {
  try {
    to.run(
      `INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
      ...columns.map((name) => row[name]),
    )
  } catch {
    // A row that does not fit is one that was damaged.
  }
}
