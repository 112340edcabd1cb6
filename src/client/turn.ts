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
