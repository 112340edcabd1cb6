/** What became of each alert, for each receiver: bounded by number, oldest first to go. */
import { type Alert } from '../message/alerts.js'
import { type Store } from './store.js'

export interface HistoryEntry {
  time: string
  alert: string
  alertname: string
  namespace: string
  status: string
  /** "" when nobody was chosen. */
  receiver: string
  channel: string
  tenant: string
  outcome: 'delivered' | 'failed' | 'silenced' | 'filtered' | 'nobody'
  reason: string
}

export interface HistoryQuery {
  alert?: string | undefined
  alertname?: string | undefined
  namespace?: string | undefined
  receiver?: string | undefined
  tenant?: string | undefined
  outcome?: string | undefined
  limit: number
}

/** Whom it is about. */
export interface Recipient {
  receiver: string
  channel: string
  tenant: string
}

export const HISTORY_SCHEMA = `
CREATE TABLE IF NOT EXISTS history (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, alert TEXT NOT NULL, alertname TEXT NOT NULL,
  namespace TEXT NOT NULL, status TEXT NOT NULL, receiver TEXT NOT NULL, channel TEXT NOT NULL, tenant TEXT NOT NULL,
  outcome TEXT NOT NULL, reason TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS history_of_alert ON history (alert);
`
const FIELDS = 'time, alert, alertname, namespace, status, receiver, channel, tenant, outcome, reason'

const MOST_ENTRIES = 200_000
const LONGEST_REASON = 500

export class History {
  constructor(private readonly store: Store) {}

  /** Within a transaction of the caller. */
  record(
    { id, status, labels: { alertname = '', namespace = '' } }: Alert,
    { receiver, channel, tenant }: Recipient,
    outcome: HistoryEntry['outcome'],
    reason: string,
    now: number,
  ): void {
    this.store.run(
      `INSERT INTO history (${FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[now, id, alertname, namespace, status, receiver, channel, tenant, outcome],
      reason.slice(0, LONGEST_REASON),
    )
  }

  /** Newest first. */
  entries({ limit, ...filters }: HistoryQuery): HistoryEntry[] {
    const given = Object.entries(filters).filter(([, value]) => value !== undefined)
    const where = given.map(([column]) => `${column} = ?`).join(' AND ') || '1'
    return this.store
      .all<HistoryEntry & { time: unknown }>(
        `SELECT ${FIELDS} FROM history WHERE ${where} ORDER BY seq DESC LIMIT ?`,
        ...given.map(([, value]) => value),
        limit,
      )
      .map((entry) => ({ ...entry, time: new Date(Number(entry.time)).toISOString() }))
  }

  /** Within a transaction of the caller. */
  forget(): void {
    this.store.run('DELETE FROM history WHERE seq <= (SELECT max(seq) FROM history) - ?', MOST_ENTRIES)
  }
}
