/**
 * What was unpacked lately, for those who read the same again: two generations, of which the older goes when the younger
 * is full.
 */
import { Pool } from './pool.js'

const GENERATION_BYTES = 1024 * 1024

const all = new Set<WeakRef<Recent>>()

/** For a moment when nobody reads. */
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
  #pool = new Pool()

  constructor() {
    all.add(new WeakRef(this))
  }

  get(key: object): Buffer | undefined {
    const young = this.#young.get(key)
    if (young) return young
    const old = this.#old.get(key)
    if (!old) return undefined
    // Copied, so that what is read all the time does not keep the slab it was first in.
    const copy = this.room(old.length)
    old.copy(copy)
    return this.set(key, copy)
  }

  /** @returns memory to unpack to, for what is then set */
  room(length: number): Buffer {
    return this.#pool.cut(length)
  }

  set(key: object, bytes: Buffer): Buffer {
    if (this.#bytes > GENERATION_BYTES) {
      this.#old = this.#young
      this.#young = new Map()
      this.#bytes = 0
    }
    this.#young.set(key, bytes)
    this.#bytes += bytes.length
    return bytes
  }

  delete(key: object): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  clear(): void {
    this.#young = new Map()
    this.#old = new Map()
    this.#bytes = 0
    this.#pool = new Pool()
  }
}
