/**
 * What was unpacked lately, for those who read the same again: two generations, of which the older goes when the younger
 * is full.
 */
const GENERATION_BYTES = 1024 * 1024

const all = new Set<WeakRef<Recent>>()

/** For a moment when nobody reads: small buffers keep whole pools of Node in memory, 8 MB of them after a start. */
export function forgetRecent(): void {
  for (const reference of all) {
    const recent = reference.deref()
    if (recent) recent.clear()
    else all.delete(reference)
  }
}

export class Recent {
  #young = new Map<object, Buffer>()
  #old = new Map<object, Buffer>()
  #bytes = 0

  constructor() {
    all.add(new WeakRef(this))
  }

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

  clear(): void {
    this.#young = new Map()
    this.#old = new Map()
    this.#bytes = 0
  }
}
