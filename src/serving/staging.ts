/**
 * Memory for bytes that wait for the end of a turn: taken, filled, written and used again.
 *
 * Buffers of their own for all that passes through would be outside V8's heap, and V8 looks through all of its heap when there are
 * many of those: before 200,000 pods, for each few dozen pages of 500.
 */

/** Bytes of one. */
export const STAGING = 64 * 1024
/** Kept when nobody uses them. */
const KEPT = 32

const free: Buffer[] = []

export function takeStaging(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(STAGING)
}

/** @param staging which nobody reads any more */
export function giveStagingBack(staging: Buffer): void {
  if (free.length < KEPT) free.push(staging)
}
