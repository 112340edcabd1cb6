/**
 * Buffers that are kept, cut from slabs of their own. Node cuts all small buffers from pools that everybody shares, and one
 * that is kept keeps its whole pool: four megabytes of pages held 330. Where those that were cut first go first, these hold
 * little more than what is in them.
 */

/** Large enough that the C library maps it apart from its heap. */
const SLAB = 1024 * 1024
/** Larger ones are alone, so that the end of a slab is no waste. */
const ALONE = SLAB / 4

export class Pool {
  #slab = Buffer.alloc(0)
  #used = 0

  /** @returns so many bytes, of whatever was there before */
  cut(length: number): Buffer {
    if (length > ALONE) return Buffer.allocUnsafeSlow(length)
    if (this.#slab.length - this.#used < length) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB)
      this.#used = 0
    }
    const start = this.#used
    this.#used += length
    return this.#slab.subarray(start, this.#used)
  }
}
