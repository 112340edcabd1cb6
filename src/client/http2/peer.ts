/** What the server takes of us: its settings, and the windows that bodies go through. */
import { Code, ConnectionError } from './frames.js'
import { DEFAULTS, type PeerSettings, settingsAfter } from './settings.js'
import { type SendWindow } from './upload.js'

const MAX_WINDOW = 2 ** 31 - 1

export class Peer implements SendWindow {
  #settings: PeerSettings = DEFAULTS
  #isGone = false
  #waiting: (() => void)[] = []
  bytes = DEFAULTS.initialWindowSize

  get settings(): PeerSettings {
    return this.#settings
  }

  get frameSize(): number {
    return this.#settings.maxFrameSize
  }

  /** @returns by how much the windows of open streams change. @throws ConnectionError */
  update(payload: Buffer): number {
    const before = this.#settings.initialWindowSize
    this.#settings = settingsAfter(this.#settings, payload)
    return this.#settings.initialWindowSize - before
  }

  /** @throws ConnectionError */
  widen(bytes: number): void {
    this.bytes += bytes
    if (this.bytes > MAX_WINDOW) throw new ConnectionError('a window too wide', Code.flowControl)
  }

  /** Whether a window may be so wide. */
  static isWindow(bytes: number): boolean {
    return bytes <= MAX_WINDOW
  }

  changed(): Promise<void> {
    return new Promise((resolve) => (this.#isGone ? resolve() : this.#waiting.push(resolve)))
  }

  /** Whoever waits looks again: a window is wider, the socket has drained, or a stream is over. */
  wake(): void {
    const due = this.#waiting
    this.#waiting = []
    for (const resolve of due) resolve()
  }

  gone(): void {
    this.#isGone = true
    this.wake()
  }
}
