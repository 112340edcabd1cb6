/** Cuts a followed log into lines, each with the time that the kubelet has put before it. */

export interface LogLine {
  /** RFC 3339, as it came. */
  time: string
  /** With its line feed. */
  text: string
}

const LINE_FEED = 0x0a
/** Longer lines are cut; kubelets do the same. */
const LONGEST = 16 * 1024

export class LogLines {
  #carried: Buffer[] = []
  #size = 0
  #time = ''

  constructor(private readonly onLine: (line: LogLine) => void) {}

  push(chunk: Uint8Array): void {
    let from = 0
    for (;;) {
      const at = chunk.indexOf(LINE_FEED, from)
      if (at < 0) break
      this.#carry(chunk.subarray(from, at))
      this.#emit()
      from = at + 1
    }
    this.#carry(chunk.subarray(from))
    if (this.#size > LONGEST) this.#emit()
  }

  #carry(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#carried.push(Buffer.from(bytes))
    this.#size += bytes.length
  }

  #emit(): void {
    const line = Buffer.concat(this.#carried, this.#size).toString()
    this.#carried = []
    this.#size = 0
    const blank = line.indexOf(' ')
    const time = line.slice(0, Math.max(blank, 0))
    // The rest of a line that was cut has no time of its own.
    const isTimed = /^\d{4}-\d\d-\d\dT\S+$/.test(time)
    if (isTimed) this.#time = time
    const text = isTimed ? line.slice(blank + 1) : line
    if (this.#time !== '') this.onLine({ time: this.#time, text: `${text.slice(0, LONGEST)}\n` })
  }
}
