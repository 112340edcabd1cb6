/**
 * The life of a server process: the first SIGINT or SIGTERM drains and ends with 0, a second one ends at once.
 */

import { collectWhenQuiet } from './heap.js'

export interface Stoppable {
  close(): Promise<void>
}

/** Longest wait for requests under way. */
const DRAIN_MS = 10_000

/**
 * Settles at the first signal; from then on a second one ends the process at once. Called before anything is
 * started, so that a signal during the start is not lost either.
 */
export function untilSignalled(): Promise<void> {
  return new Promise((resolve) => {
    const onSignal = (): void => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
      const now = (): never => process.exit(1)
      process.on('SIGINT', now)
      process.on('SIGTERM', now)
      resolve()
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })
}

/** Settles never: the process ends. */
export async function runUntil(
  signalled: Promise<void>,
  running: Stoppable,
  say: (text: string) => void,
): Promise<never> {
  collectWhenQuiet()
  await signalled
  say('Stopping: finishing the requests under way. Press Ctrl-C again to stop at once.')
  const late = setTimeout(() => process.exit(1), DRAIN_MS + 5_000)
  late.unref()
  await running.close()
  process.exit(0)
}
