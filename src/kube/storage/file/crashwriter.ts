/**
 * What the process does that `kill.test.ts` kills: writes to a store as fast as it can and tells, over the
 * channel to its parent, what was acknowledged and what watchers have seen.
 */
import { openFileStorage } from './index.js'

/** One of each: a write acknowledged to a writer, or the newest revision shown to a watcher. */
export type Report =
  | { at: 'open'; revision: number }
  | {
      at: 'acknowledged'
      writer: number
      write: number
      type: 'put' | 'delete'
      key: string
      revision: number
      value: string
    }
  | { at: 'visible'; revision: number }

const WRITERS = 12
const KEYS_PER_WRITER = 4
/** Small enough that compaction runs in most rounds. */
const MIN_LOG_BYTES = 256 * 1024

export async function writeUntilKilled(directory: string, round: number): Promise<void> {
  const report = (message: Report) => process.send?.(message)
  const storage = await openFileStorage({ directory, minLogBytes: MIN_LOG_BYTES })
  report({ at: 'open', revision: storage.revision })
  storage.watch('', storage.revision, {
    events: (events) => report({ at: 'visible', revision: events.at(-1)!.revision }),
    ended() {},
  })

  await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      for (let write = 0; ; write++) {
        const key = keyOf(writer, write)
        const type = write % 7 === 6 && storage.get(key) ? 'delete' : 'put'
        const value = labelOf(round, writer, write)
        const bytes = value.length + ((write * 379) % 6_000)
        const entry = await storage[type](key, () => Buffer.from(value.padEnd(bytes, '.')))
        report({ at: 'acknowledged', writer, write, type, key, revision: entry.modRevision, value })
      }
    }),
  )
}

export function keyOf(writer: number, write: number): string {
  return `/w${writer}/k${write % KEYS_PER_WRITER}`
}

/** What the value of a write begins with; dots follow. */
export function labelOf(round: number, writer: number, write: number): string {
  return `round ${round} writer ${writer} write ${write} `
}
