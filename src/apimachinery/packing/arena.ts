/**
 * Where the bytes of many small texts live: large buffers outside the JavaScript heap, filled front to back.
 *
 * What comes in is copied as it is to the newest slab, so what changes all the time costs a copy. When that slab is full,
 * those still alive are packed into others (see `Dictionary`), for good. Space is not written twice while anything refers to
 * its slab, so a tenant who is no longer wanted can still be read by whoever holds it. A slab more than half dead has its
 * living moved on and is let go.
 */
import { Dictionary } from './dictionary.js'
import { memory } from './memory.js'
import { type Recent } from './recent.js'

/** Something whose bytes are in an arena. The arena moves them by writing these fields; others only read them. */
export interface Tenant {
  slab: Slab
  /** Its complement once freed: nothing needs to move it any more. There are hundreds of thousands; a flag is 8 bytes. */
  offset: number
  /** Of what is in the slab. */
  packedSize: number
  size: number
}

export class Slab {
  used = 0
  live = 0
  tenants: Tenant[] = []

  constructor(
    readonly memory: Buffer,
    readonly recent: Recent | undefined,
    /** What its tenants are packed with; none in a slab of those that have just come. */
    readonly dictionary?: Dictionary,
    /** The memory is a region that goes to others after this slab. */
    readonly isLent = false,
  ) {}
}

/** For tenants that are yet to move in. */
export const NOWHERE = new Slab(Buffer.alloc(0), undefined)

/** The tenant's bytes; shared, never to be changed. */
export function bytesOf(tenant: Tenant): Buffer {
  const { slab, packedSize, size } = tenant
  const { dictionary, recent, isLent } = slab
  const offset = isAlive(tenant) ? tenant.offset : ~tenant.offset
  if (dictionary === undefined || packedSize === size) {
    const bytes = slab.memory.subarray(offset, offset + size)
    // A view would outlive the slab, and see what others write there.
    return isLent ? Buffer.from(bytes) : bytes
  }
  const known = recent?.get(tenant)
  if (known) return known
  const room = recent?.room(size) ?? Buffer.allocUnsafe(size)
  const bytes = dictionary.unpack(slab.memory, offset, offset + packedSize, room)
  recent?.set(tenant, bytes)
  return bytes
}

function isAlive({ offset }: Tenant): boolean {
  return offset >= 0
}

const SMALLEST = 4 * 1024
/** Large enough that the C library can map young ones apart from its heap, which they left full of holes: 40 MB. */
const LARGEST = { young: 128 * 1024, packed: 256 * 1024 }
/** Larger ones have a slab of their own. */
const LARGE_TEXT = 16 * 1024
/** Larger texts would fill the dictionary. */
const DICTIONARY_TEXT_LIMIT = 8 * 1024
/** A text that stays larger than this part of itself is of a sort that the dictionary should know. */
const STRANGE = 1 / 6
/** With so many bytes of texts that stay larger than that part, in a full dictionary, another one is begun. */
const UNKNOWN = 1 / 3
const UNKNOWN_LIMIT = 192 * 1024

export class Arena {
  readonly #recent: Recent
  #young: Slab | undefined
  #packed: Slab | undefined
  #youngSize = SMALLEST
  #packedSize = SMALLEST
  #dictionary: Dictionary | undefined
  #unknownBytes = 0
  #held = 0
  #tenants = 0

  constructor(recent: Recent) {
    this.#recent = recent
  }

  /** Bytes of memory held by slabs that contain something alive. */
  get heldBytes(): number {
    return this.#held
  }

  get isEmpty(): boolean {
    return this.#tenants === 0
  }

  /** @param bytes copied */
  add(tenant: Tenant, bytes: Uint8Array): void {
    this.#tenants++
    tenant.size = bytes.length
    this.#settle(tenant, bytes, this.#roomFor(bytes.length))
  }

  /** The tenant's bytes are no longer wanted here; the tenant itself may still be read. */
  free(tenant: Tenant): void {
    if (!isAlive(tenant)) return
    const { slab } = tenant
    this.#tenants--
    slab.live -= tenant.packedSize
    tenant.offset = ~tenant.offset
    if (slab.dictionary) this.#recent.delete(tenant)
    if (slab === this.#young || slab === this.#packed) return
    if (slab.live * 2 < slab.memory.length) this.#empty(slab)
  }

  #roomFor(size: number): Slab {
    const young = this.#young
    if (young && young.memory.length - young.used >= size) return young
    // Large against the slab: a buffer of its own wastes nothing.
    if (size > LARGE_TEXT) return this.#own(size)
    while (size > this.#youngSize / 4) this.#youngSize *= 2
    const slab = this.#own(this.#youngSize)
    this.#youngSize = Math.min(LARGEST.young, this.#youngSize * 2)
    this.#young = slab
    if (young) this.#empty(young)
    return slab
  }

  /** Packs those alive into other slabs and lets this one go. */
  #empty(slab: Slab): void {
    const { tenants, dictionary } = slab
    if (tenants.length === 0) return
    slab.tenants = []
    this.#held -= slab.memory.length
    for (const tenant of tenants) {
      if (!isAlive(tenant)) continue
      const { offset, packedSize, size } = tenant
      const inSlab = slab.memory.subarray(offset, offset + packedSize)
      if (dictionary !== undefined && dictionary === this.#dictionary) this.#move(tenant, inSlab)
      else if (dictionary === undefined || packedSize === size) this.#move(tenant, this.#pack(inSlab))
      else {
        const text = dictionary.unpack(slab.memory, offset, offset + packedSize, Buffer.allocUnsafe(size))
        this.#move(tenant, this.#pack(text))
      }
    }
  }

  #move(tenant: Tenant, packed: Uint8Array): void {
    const dictionary = this.#dictionary
    const home = this.#packed
    if (home && home.dictionary === dictionary && home.memory.length - home.used >= packed.length) {
      this.#settle(tenant, packed, home)
      return
    }
    while (packed.length > this.#packedSize) this.#packedSize *= 2
    const next = this.#lent(this.#packedSize, dictionary)
    this.#packedSize = Math.min(LARGEST.packed, this.#packedSize * 2)
    this.#packed = next
    // First, since packing others overwrites what was packed.
    this.#settle(tenant, packed, next)
    if (home && home.live * 2 < home.memory.length) this.#empty(home)
  }

  #settle(tenant: Tenant, bytes: Uint8Array, slab: Slab): void {
    slab.memory.set(bytes, slab.used)
    tenant.slab = slab
    tenant.offset = slab.used
    tenant.packedSize = bytes.length
    slab.used += bytes.length
    slab.live += bytes.length
    slab.tenants.push(tenant)
  }

  /** @returns the text itself when packing makes it no smaller; in any case valid until the next call */
  #pack(text: Uint8Array): Uint8Array {
    const { length } = text
    this.#dictionary ??= new Dictionary()
    const packed = this.#dictionary.pack(text)
    if (packed.length <= length * STRANGE) return packed
    if (length <= DICTIONARY_TEXT_LIMIT) {
      if (packed.length > length * UNKNOWN && !this.#dictionary.hasRoom(length)) this.#meetUnknown(length)
      if (this.#dictionary.hasRoom(length)) {
        this.#dictionary.add(text)
        return this.#dictionary.pack(text)
      }
    }
    return packed.length < length ? packed : text
  }

  #meetUnknown(length: number): void {
    this.#unknownBytes += length
    if (this.#unknownBytes < UNKNOWN_LIMIT) return
    this.#unknownBytes = 0
    this.#dictionary?.close()
    this.#dictionary = new Dictionary()
  }

  /** For those who stay. */
  #lent(size: number, dictionary: Dictionary | undefined): Slab {
    this.#held += size
    const region = memory.region(size)
    const slab = new Slab(region, this.#recent, dictionary, true)
    memory.lend(region, slab)
    return slab
  }

  /** For those who move on soon, and for large ones. */
  #own(size: number): Slab {
    this.#held += size
    return new Slab(Buffer.allocUnsafeSlow(size), this.#recent)
  }
}
