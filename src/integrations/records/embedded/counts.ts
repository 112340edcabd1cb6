/**
 * How many records there are of each minute and each row of shared values, kept as records come in.
 *
 * Whoever counts without looking for words, as consoles do when they are opened, counts minutes instead of records.
 * Only at the ends of a range, and where a place may be read from the middle of a minute on, are records counted.
 */
import { SERIAL_BITS } from './sql.js'

export const MINUTE_MS = 60_000
/** Of identifiers. */
const MINUTE = BigInt(MINUTE_MS) << SERIAL_BITS

export const COUNTS_DEFINITION =
  'CREATE TABLE counts(facet INTEGER, minute INTEGER, n INTEGER NOT NULL, PRIMARY KEY (facet, minute)) WITHOUT ROWID;'
export const COUNTS_INSERT =
  'INSERT INTO counts(facet, minute, n) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n'

interface Range {
  first: bigint
  last: bigint
}

/**
 * Rows of `ms`, `n` and `facet` for the records of a range.
 *
 * @param bounds of all records
 * @param isChosen only of the rows in `chosen`, each since its own identifier
 * @returns undefined where no whole minute is in the range
 */
export function countedRows(
  { first, last }: Range,
  bounds: Range,
  isChosen: boolean,
): { sql: string; params: bigint[] } | undefined {
  const isFromBeginning = first <= bounds.first
  const isToEnd = last >= bounds.last
  const lower = isFromBeginning ? floor(bounds.first) : floor(first + MINUTE - 1n)
  const upper = isToEnd ? floor(bounds.last) : floor(last + 1n) - 1n
  if (lower > upper) return undefined
  const begin = lower * MINUTE
  const end = (upper + 1n) * MINUTE

  const edges: Range[] = []
  if (!isFromBeginning && first < begin) edges.push({ first, last: begin - 1n })
  if (!isToEnd && end <= last) edges.push({ first: end, last })
  const minutes = 'counts.minute * 60000 AS ms, n, counts.facet AS facet'
  const single = `records.id >> ${SERIAL_BITS} AS ms, 1 AS n, records.facet AS facet`
  const ofChosen = `SELECT ${single} FROM chosen CROSS JOIN records ON records.facet = chosen.id WHERE`
  const sinceMinute = `((chosen.since + ${MINUTE - 1n}) / ${MINUTE})`
  const parts = isChosen
    ? [
        `SELECT ${minutes} FROM chosen CROSS JOIN counts ON counts.facet = chosen.id
          WHERE counts.minute BETWEEN max(?, ${sinceMinute}) AND ?`,
        `${ofChosen} chosen.since > ? AND records.id BETWEEN chosen.since AND min(?, ${sinceMinute} * ${MINUTE} - 1)`,
        ...edges.map(() => `${ofChosen} records.id BETWEEN max(?, chosen.since) AND ?`),
      ]
    : [
        `SELECT ${minutes} FROM counts WHERE counts.minute BETWEEN ? AND ?`,
        ...edges.map(() => `SELECT ${single} FROM records WHERE records.id BETWEEN ? AND ?`),
      ]
  return {
    sql: parts.join(' UNION ALL '),
    params: [
      lower,
      upper,
      ...(isChosen ? [begin, end - 1n] : []),
      ...edges.flatMap((edge) => [edge.first, edge.last]),
    ],
  }
}

/** The minute of an identifier; division alone rounds towards the year 1970. */
function floor(id: bigint): bigint {
  const quotient = id / MINUTE
  return id < 0n && quotient * MINUTE !== id ? quotient - 1n : quotient
}
