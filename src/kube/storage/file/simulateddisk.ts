/**
 * A disk for tests, in memory: it fills up, fails, and loses power.
 *
 * At a power failure what was not synced survives in part: each sector is as it was at the last sync or as it is
 * now, a grown file has any length between, and of the changes to names the first few are kept, in order.
 */
import { basename, dirname } from 'node:path'
import { type File, type FileSystem } from './filesystem.js'

interface Node {
  current: Buffer
  synced: Buffer
}

type NameChange = (names: Map<string, Node>) => void

const SECTOR_BYTES = 512

export class SimulatedDisk implements FileSystem {
  /** Bytes that may still be written. */
  freeBytes = Infinity
  /** Syncs that still work. */
  goodSyncs = Infinity
  #names = new Map<string, Node>()
  #syncedNames = new Map<string, Node>()
  #nameChanges: NameChange[] = []
  #off = false

  /** Cuts the power. @param random from 0 to 1 @returns the disk as it is found afterwards */
  crash(random: () => number): SimulatedDisk {
    this.#off = true
    const after = new SimulatedDisk()
    const kept = Math.floor(random() * (this.#nameChanges.length + 1))
    for (const change of this.#nameChanges.slice(0, kept)) change(this.#syncedNames)
    for (const [name, node] of this.#syncedNames) {
      const content = survivor(node, random)
      const found = { current: content, synced: content }
      after.#names.set(name, found)
      after.#syncedNames.set(name, found)
    }
    return after
  }

  async makeDirectory(): Promise<void> {}

  async entries(): Promise<string[]> {
    await this.#turn()
    return [...this.#names.keys()]
  }

  async open(path: string, mode: 'create' | 'change' | 'read'): Promise<File> {
    await this.#turn()
    const name = basename(path)
    const node = this.#names.get(name) ?? { current: Buffer.alloc(0), synced: Buffer.alloc(0) }
    if (!this.#names.has(name)) {
      if (mode !== 'create') throw new Error(`ENOENT: ${path}`)
      this.#change((names) => names.set(name, node))
    }
    if (mode === 'create') node.current = Buffer.alloc(0)
    return this.#file(node)
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#turn()
    const node = this.#names.get(basename(from))!
    this.#change((names) => {
      names.delete(basename(from))
      names.set(basename(to), node)
    })
  }

  async remove(path: string): Promise<void> {
    await this.#turn()
    this.#change((names) => names.delete(basename(path)))
  }

  async syncDirectory(directory: string): Promise<void> {
    await this.#turn()
    this.#failSync(dirname(directory))
    for (const change of this.#nameChanges) change(this.#syncedNames)
    this.#nameChanges = []
  }

  #file(node: Node): File {
    return {
      size: async () => node.current.length,
      read: async (into, position) => {
        await this.#turn()
        return position < node.current.length ? node.current.copy(into, 0, position) : 0
      },
      write: async (bytes, position) => {
        // The bytes are taken when the call is made; an error comes with a part written.
        const written = Buffer.from(bytes.subarray(0, this.freeBytes))
        this.freeBytes -= written.length
        await this.#turn()
        const grown = Buffer.alloc(Math.max(node.current.length, position + written.length))
        node.current.copy(grown)
        written.copy(grown, position)
        node.current = grown
        if (written.length < bytes.length) {
          throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
        }
      },
      truncate: async (length) => {
        await this.#turn()
        this.freeBytes += Math.max(0, node.current.length - length)
        node.current = Buffer.from(node.current.subarray(0, length))
      },
      sync: async () => {
        await this.#turn()
        // A sync that fails may have brought everything to the disk all the same.
        node.synced = node.current
        this.#failSync('file')
      },
      close: async () => this.#turn(),
    }
  }

  #change(change: NameChange): void {
    change(this.#names)
    this.#nameChanges.push(change)
  }

  #failSync(what: string): void {
    if (this.goodSyncs-- <= 0) throw new Error(`EIO: cannot sync ${what}`)
  }

  /** Takes a moment; forever once the power is off. */
  async #turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    if (this.#off) await new Promise(() => {})
  }
}

function survivor({ current, synced }: Node, random: () => number): Buffer {
  const shortest = Math.min(current.length, synced.length)
  const longest = Math.max(current.length, synced.length)
  const out = Buffer.alloc(shortest + Math.floor(random() * (longest - shortest + 1)))
  for (let at = 0; at < out.length; at += SECTOR_BYTES) {
    const from = random() < 0.5 ? current : synced
    from.subarray(at, at + SECTOR_BYTES).copy(out, at)
  }
  return out
}
