/** Writes that somebody else got ahead of. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isConflict } from '../apimachinery/errors/index.js'

/** How often a write starts at most when the client has named no version. */
export const TRIES = 6
const FIRST_MS = 8

/**
 * Before the next try: what the object has changed to cannot always be read at once. Who starts again without a pause
 * meets the same conflict until no try is left.
 */
export async function afterConflict(tries: number): Promise<void> {
  await sleep(FIRST_MS * 2 ** (tries - 1))
}

/** @param versioned the client has named a version, and is told when it is not the present one */
export async function retrying<T>(versioned: boolean, attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (!isConflict(error) || versioned || tries >= TRIES) throw error
      await afterConflict(tries)
    }
  }
}
