/**
 * Writes to sockets, done together when everything that has come in during this turn of the event loop has been looked at.
 *
 * A write wakes whoever reads at the other end. Done one by one between requests that take some microseconds each, nearly
 * each finds its reader asleep again, and on one machine waking costs more than the request; done together, the first wakes
 * it for all. Who is alone waits for nothing: the turn is over when there is no more to read.
 */
let waiting: (() => void)[] = []

/** @param write must not throw; it may find its socket closed meanwhile */
export function atEndOfTurn(write: () => void): void {
  if (waiting.push(write) === 1) setImmediate(flush)
}

function flush(): void {
  const due = waiting
  waiting = []
  for (const write of due) write()
}

const SOON_MS = 10
let later: (() => void)[] = []

/**
 * Writes what by itself is worth nobody's waking, such as a head whose body is about to come, unless it has gone by then.
 *
 * @param write must not throw; it finds out whether there is still something to do
 */
export function soon(write: () => void): void {
  if (later.push(write) === 1) setTimeout(flushLater, SOON_MS)
}

function flushLater(): void {
  const due = later
  later = []
  for (const write of due) write()
}
