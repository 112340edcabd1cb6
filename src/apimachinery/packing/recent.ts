/**
 * What was unpacked lately, for those who read the same again: two generations, of which the older goes when the younger
 * is full.
 */
const GENERATION_BYTES = 1024 * 1024

export class Recent {
  #young = new Map<object, Buffer>()
  #old = new Map<object, Buffer>()
  #bytes = 0

  get(key: object): Buffer | undefined {
    const young = this.#young.get(key)
    if (young) return young
    const old = this.#old.get(key)
    if (old) this.set(key, old)
    return old
  }

  set(key: object, bytes: Buffer): void {
    if (this.#bytes > GENERATION_BYTES) {
      this.#old = this.#young
      this.#young = new Map()
      this.#bytes = 0
    }
    this.#young.set(key, bytes)
    this.#bytes += bytes.length
  }

  delete(key: object): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }
}
