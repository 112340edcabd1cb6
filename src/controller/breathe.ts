/**
 * Lets others have their turn.
 *
 * On storage in memory a write settles without leaving the current turn of the event loop: controllers that always find
 * more to do would keep timers and requests waiting until they are done.
 */
const TURN_MS = 10

let turnBegan = 0

/** Settles at once, or in the next turn when this one has lasted long. */
export async function breathe(): Promise<void> {
  if (performance.now() - turnBegan < TURN_MS) return
  await new Promise<void>((resolve) => setImmediate(resolve))
  turnBegan = performance.now()
}
