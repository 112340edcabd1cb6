/**
 * The frames of the last events of one resource in one form, so that a hundred watchers cost one
 * serialisation. A ring over revisions: old entries are overwritten, nothing is ever searched. What has not been
 * overwritten for some seconds goes too: every watcher that keeps up has had it.
 */
import { type MaybePromise } from './served.js'
import { type EventType } from './watch.js'

const SLOTS = 256
const KEPT_MS = 5_000
/** Larger frames are made anew for each watcher, so that a ring stays below a few megabytes. */
const FRAME_LIMIT = 64 * 1024

interface Slot {
  revision: number
  frames: Partial<Record<EventType, MaybePromise<Buffer>>>
}

export class FrameRing {
  readonly #slots: (Slot | undefined)[] = []
  /** What was last put together, and of what. */
  #joined: { frames: readonly Buffer[]; whole: Buffer } | undefined
  #newest = 0
  #isSwept = false

  get(revision: number, type: EventType): MaybePromise<Buffer> | undefined {
    const slot = this.#slots[revision % SLOTS]
    return slot?.revision === revision ? slot.frames[type] : undefined
  }

  set(revision: number, type: EventType, frame: MaybePromise<Buffer>): MaybePromise<Buffer> {
    if (Buffer.isBuffer(frame) && frame.length > FRAME_LIMIT) return frame
    const index = revision % SLOTS
    const slot = this.#slots[index]
    if (slot?.revision === revision) slot.frames[type] = frame
    // A replay of old events must not push out what live watchers share.
    else if (!slot || slot.revision < revision) {
      this.#slots[index] = { revision, frames: { [type]: frame } }
      this.#newest = Math.max(this.#newest, revision)
      if (!this.#isSwept) this.#sweepUpTo(revision)
    }
    return frame
  }

  /** Frames as one; watchers who wait together get the same bytes. */
  joined(frames: readonly Buffer[]): Buffer {
    const last = this.#joined
    const isSame = last?.frames.length === frames.length && last.frames.every((each, i) => each === frames[i])
    if (isSame) return last.whole
    const whole = Buffer.concat(frames)
    this.#joined = { frames, whole }
    return whole
  }

  #sweepUpTo(revision: number): void {
    this.#isSwept = true
    const sweep = (): void => {
      this.#slots.forEach((slot, index) => {
        if (slot && slot.revision <= revision) this.#slots[index] = undefined
      })
      this.#joined = undefined
      this.#isSwept = false
      if (this.#newest > revision) this.#sweepUpTo(this.#newest)
    }
    setTimeout(sweep, KEPT_MS).unref()
  }
}
