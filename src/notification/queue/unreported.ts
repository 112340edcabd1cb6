/** Alerts that somebody was told of, and of which the webhook for the history has yet to hear. */
import { type Alert } from '../message/alerts.js'
import { type Store } from './store.js'

export interface Told {
  alert: Alert
  /** Milliseconds: when the first receiver had it. */
  first: number
  /** Receiver → channel → its targets. */
  receivers: Record<string, Record<string, string[]>>
}

export const UNREPORTED_SCHEMA = `
CREATE TABLE IF NOT EXISTS unreported (
  alert TEXT PRIMARY KEY, body TEXT NOT NULL, first INTEGER NOT NULL, receivers TEXT NOT NULL) WITHOUT ROWID;
`

interface Row {
  body: string
  first: number
  receivers: string
}

export class Unreported {
  constructor(private readonly store: Store) {}

  /** Within a transaction of the caller. */
  add(alert: Alert, receiver: string, channel: string, targets: readonly string[], now: number): void {
    if (this.store.first('SELECT at FROM told WHERE key = ?', keyOf(alert))) return
    const known = this.store.first<Row>(
      'SELECT body, first, receivers FROM unreported WHERE alert = ?',
      alert.id,
    )
    const receivers = JSON.parse(known?.receivers ?? '{}') as Told['receivers']
    receivers[receiver] = { ...receivers[receiver], [channel]: [...targets] }
    this.store.run(
      'INSERT OR REPLACE INTO unreported (alert, body, first, receivers) VALUES (?, ?, ?, ?)',
      ...[alert.id, JSON.stringify(alert), known?.first ?? now, JSON.stringify(receivers)],
    )
  }

  /** Those that the first receiver had before that time. */
  before(time: number, most: number): Told[] {
    return this.store
      .all<Row>('SELECT body, first, receivers FROM unreported WHERE first < ? LIMIT ?', time, most)
      .map(({ body, first, receivers }) => ({
        alert: JSON.parse(body) as Alert,
        first,
        receivers: JSON.parse(receivers) as Told['receivers'],
      }))
  }

  /** Within a transaction of the caller. Who is slow and told later is not reported again. */
  done(all: readonly Told[], now: number): void {
    for (const { alert } of all) {
      this.store.run('DELETE FROM unreported WHERE alert = ?', alert.id)
      this.store.run('INSERT OR REPLACE INTO told (key, at) VALUES (?, ?)', keyOf(alert), now)
    }
  }
}

const keyOf = ({ id }: Alert): string => `//${id}`
