/** Two ends of one connection inside the process: what is written to one is read from the other. */
import { Duplex } from 'node:stream'

class End extends Duplex {
  other: End | undefined
  /** Set while the other end is full: goes on with the write. */
  #waiting: (() => void) | undefined

  override _read(): void {
    const written = this.#waiting
    this.#waiting = undefined
    written?.()
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const { other } = this
    if (!other || other.destroyed) done()
    else if (other.push(chunk)) done()
    else other.#waiting = done
  }

  override _final(done: () => void): void {
    this.other?.push(null)
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { other } = this
    this.other = undefined
    // The other end sees the connection go, in its own turn.
    if (other) process.nextTick(() => other.destroy())
    done(error)
  }
}

export function duplexPair(): [Duplex, Duplex] {
  const left = new End({ allowHalfOpen: true })
  const right = new End({ allowHalfOpen: true })
  left.other = right
  right.other = left
  return [left, right]
}
