/** Cuts a byte stream at line feeds. Empty lines are dropped; what follows the last line feed is not a line. */

const LINE_FEED = 0x0a

export class LineSplitter {
  readonly #onLine: (line: Buffer) => void
  readonly #limitBytes: number
  #carried: Buffer[] = []
  #carriedSize = 0

  /** @param onLine gets a view that is only valid during the call */
  constructor(onLine: (line: Buffer) => void, limitBytes = 64 * 1024 * 1024) {
    this.#onLine = onLine
    this.#limitBytes = limitBytes
  }

  /** @throws Error when a line exceeds the limit, and what `onLine` throws */
  push(chunk: Buffer): void {
    let from = 0
    for (;;) {
      const at = chunk.indexOf(LINE_FEED, from)
      if (at < 0) break
      const tail = chunk.subarray(from, at)
      from = at + 1
      if (this.#carried.length > 0) {
        const line = Buffer.concat([...this.#carried, tail])
        this.#carried = []
        this.#carriedSize = 0
        this.#onLine(line)
      } else if (tail.length > 0) this.#onLine(tail)
    }
    if (from === chunk.length) return
    this.#carriedSize += chunk.length - from
    if (this.#carriedSize > this.#limitBytes) throw new Error(`a line exceeds ${this.#limitBytes} bytes`)
    // Copied: a view would pin the chunk, and may be overwritten.
    this.#carried.push(Buffer.from(chunk.subarray(from)))
  }
}
