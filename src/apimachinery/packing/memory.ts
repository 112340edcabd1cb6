/**
 * Where slabs come from: regions of few very large buffers, which the allocator of the C library maps apart from its heap.
 *
 * Slabs live long. Between the short-lived buffers of requests they would hold the heap of the C library at its largest
 * size for ever: 67 MB of 428 after the start of a large installation. Of a region only what was written to takes memory.
 */

/** From here on glibc always maps; what it maps below depends on what was freed before. */
const MAPPED_BYTES = 32 * 1024 * 1024 + 64 * 1024

export class Memory {
  #chunk: Buffer | undefined
  #used = 0
  /** By size: regions whose last owner was collected. */
  readonly #free = new Map<number, Buffer[]>()
  readonly #owners = new FinalizationRegistry<Buffer>((region) => this.#takeBack(region))

  /** @param size one of few */
  region(size: number): Buffer {
    const free = this.#free.get(size)?.pop()
    if (free) return free
    if (!this.#chunk || this.#chunk.length - this.#used < size) {
      this.#chunk = Buffer.allocUnsafeSlow(MAPPED_BYTES)
      this.#used = 0
    }
    const region = this.#chunk.subarray(this.#used, this.#used + size)
    this.#used += size
    return region
  }

  /**
   * The region may be given to another when nothing refers to `owner` any more; so nobody else may keep it, or a part of it.
   */
  lend(region: Buffer, owner: object): void {
    this.#owners.register(owner, region)
  }

  #takeBack(region: Buffer): void {
    const free = this.#free.get(region.length)
    if (free) free.push(region)
    else this.#free.set(region.length, [region])
  }
}

/** That of the process. */
export const memory = new Memory()
