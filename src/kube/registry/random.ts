/** Chance as the API server sees it: passed in, so that tests can fix it. */
import { randomInt, randomUUID } from 'node:crypto'

export interface Random {
  uuid(): string
  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number
}

export const systemRandom: Random = { uuid: () => randomUUID(), below: (limit) => randomInt(limit) }
