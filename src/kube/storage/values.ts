/**
 * The values of entries, out of the JavaScript heap and packed by resource: the objects of one resource resemble each
 * other, and a large installation is many thousands of them.
 *
 * A value that is no longer wanted stays readable for whoever still holds its entry, as the writer of a snapshot does.
 */
import { Arena, bytesOf, NOWHERE, Recent, type Slab, type Tenant } from '../../apimachinery/packing/index.js'
import { type KeyValue } from './interface.js'

class StoredEntry implements KeyValue, Tenant {
  slab: Slab = NOWHERE
  offset = 0
  packedSize = 0
  size = 0

  constructor(
    readonly key: string,
    readonly createRevision: number,
    readonly modRevision: number,
  ) {}

  get value(): Buffer {
    return bytesOf(this)
  }
}

export class Values {
  readonly #recent = new Recent()
  /** By the resource that keys are of. */
  readonly #arenas = new Map<string, Arena>()

  /** An entry that says the same and is held here. */
  keep({ key, value, createRevision, modRevision }: KeyValue): KeyValue {
    const entry = new StoredEntry(key, createRevision, modRevision)
    const resource = resourceOf(key)
    let arena = this.#arenas.get(resource)
    if (!arena) this.#arenas.set(resource, (arena = new Arena(this.#recent)))
    arena.add(entry, value)
    return entry
  }

  release(entry: KeyValue): void {
    if (!(entry instanceof StoredEntry)) return
    const resource = resourceOf(entry.key)
    const arena = this.#arenas.get(resource)
    arena?.free(entry)
    if (arena?.isEmpty) this.#arenas.delete(resource)
  }
}

/** Of key and value. */
export function sizeOf(entry: KeyValue): number {
  return entry.key.length + lengthOf(entry)
}

/** Of the value. */
export function lengthOf(entry: KeyValue): number {
  return entry instanceof StoredEntry ? entry.size : entry.value.length
}

/** `/registry/<group>/<resource>` of a key that has so many parts. */
function resourceOf(key: string): string {
  let end = 0
  for (let slashes = 0; slashes < 3; slashes++) {
    end = key.indexOf('/', end + 1)
    if (end < 0) return ''
  }
  return key.slice(0, end)
}
