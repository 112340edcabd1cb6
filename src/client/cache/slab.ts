/**
 * Where object bytes live: large buffers outside the JavaScript heap, filled front to back.
 *
 * Bytes that arrive are views of network buffers, and keeping a view keeps its whole buffer; copying them
 * here ends that, and spares the collector one Buffer per object. Space is never written twice, so a view
 * handed out stays true for ever. A slab more than half dead has its living moved to the newest slab and
 * is let go.
 */

/** Something whose bytes are in a slab. The arena moves them by writing these fields. */
export interface Tenant {
  slab: Slab
  offset: number
  size: number
  /** False once freed: nothing needs to move it any more. */
  alive: boolean
}

export interface Slab {
  readonly memory: Buffer
  used: number
  live: number
  tenants: Tenant[]
}

const SMALLEST = 8 * 1024
const LARGEST = 1024 * 1024

export class Arena {
  #current: Slab | undefined
  #nextSize = SMALLEST
  #held = 0

  /** Bytes of memory held by slabs that contain something alive. */
  get heldBytes(): number {
    return this.#held
  }

  /** Reserves space; the caller writes `size` bytes at `offset` of `slab.memory` at once. */
  allocate(size: number): { slab: Slab; offset: number } {
    let slab = this.#current
    if (!slab || slab.memory.length - slab.used < size) {
      if (size > this.#nextSize / 4) {
        // Large against the slab: a buffer of its own wastes nothing.
        if (size > LARGEST / 4) return { slab: this.#make(size), offset: 0 }
        while (size > this.#nextSize / 4) this.#nextSize *= 2
      }
      slab = this.#make(this.#nextSize)
      this.#nextSize = Math.min(LARGEST, this.#nextSize * 2)
      const full = this.#current
      this.#current = slab
      if (full) this.#reclaim(full)
    }
    return { slab, offset: slab.used }
  }

  /** Takes a tenant in whose bytes were written to what `allocate` gave. */
  settle(tenant: Tenant): void {
    const { slab, size } = tenant
    slab.used += size
    slab.live += size
    tenant.alive = true
    slab.tenants.push(tenant)
  }

  /** The tenant's bytes are no longer wanted here; the tenant itself may still be read. */
  free(tenant: Tenant): void {
    const { slab } = tenant
    slab.live -= tenant.size
    tenant.alive = false
    if (slab === this.#current) return
    this.#reclaim(slab)
  }

  #make(size: number): Slab {
    this.#held += size
    return { memory: Buffer.allocUnsafeSlow(size), used: 0, live: 0, tenants: [] }
  }

  #reclaim(slab: Slab): void {
    if (slab.live * 2 >= slab.memory.length || slab.tenants.length === 0) return
    const { tenants } = slab
    slab.tenants = []
    this.#held -= slab.memory.length
    for (const tenant of tenants) {
      if (!tenant.alive) continue
      const { slab: home, offset } = this.allocate(tenant.size)
      slab.memory.copy(home.memory, offset, tenant.offset, tenant.offset + tenant.size)
      tenant.slab = home
      tenant.offset = offset
      this.settle(tenant)
    }
  }
}
