/** The files of one container: what the API knows of them, and over it what commands have written. */
import { posix } from 'node:path'

/** Said in the words of a Unix system. */
export class FileFault extends Error {}

export interface FileNode {
  content: Buffer
  mode: number
  /** Milliseconds. */
  changedAt: number
}

export type Entry = ({ kind: 'file' } & FileNode) | { kind: 'directory' } | { kind: 'gone' }

/** What has been written, as long as the container runs. */
export interface Layer {
  entries: Map<string, Entry>
  /** Takes room, or gives it back where negative. @returns false when there is not so much */
  take(bytes: number): boolean
}

export interface Base {
  files: Readonly<Record<string, string>>
  /** Directories whose files belong to somebody else: mounted ConfigMaps and Secrets. */
  readOnly?: readonly string[]
  /** Empty ones: mounted volumes. */
  directories?: readonly string[]
}

const DIRECTORIES = ['/', '/bin', '/dev', '/etc', '/home', '/opt', '/root', '/srv', '/tmp', '/usr', '/var']
/** Looking through a directory goes over all of them. */
const ENTRIES_LIMIT = 1_000
const PATH_LIMIT = 4_096
const FILE_MODE = 0o644

export class Files {
  constructor(
    private readonly base: Base,
    private readonly layer: Layer,
    private readonly now: () => number,
  ) {}

  file(path: string): FileNode | undefined {
    const entry = this.layer.entries.get(path)
    if (entry) return entry.kind === 'file' ? entry : undefined
    const content = Object.hasOwn(this.base.files, path) ? this.base.files[path] : undefined
    return content === undefined
      ? undefined
      : { content: Buffer.from(content), mode: FILE_MODE, changedAt: 0 }
  }

  isDirectory(path: string): boolean {
    const entry = this.layer.entries.get(path)
    if (entry) return entry.kind === 'directory'
    if (DIRECTORIES.includes(path) || this.base.directories?.includes(path)) return true
    return this.#paths().some((each) => each.startsWith(`${path}/`))
  }

  exists(path: string): boolean {
    return this.file(path) !== undefined || this.isDirectory(path)
  }

  /** What lies directly in a directory. */
  names(directory: string): string[] {
    const prefix = directory === '/' ? '/' : `${directory}/`
    const names = new Set<string>()
    for (const path of this.#paths()) {
      if (path.startsWith(prefix) && path !== prefix) names.add(path.slice(prefix.length).split('/')[0] ?? '')
    }
    return [...names].sort()
  }

  /** Directories on the way are made: nobody knows which ones an image has. @throws FileFault */
  write(path: string, content: Buffer, { mode = FILE_MODE, append = false } = {}): void {
    this.#guard(path)
    if (path === '/dev/null') return
    if (this.isDirectory(path)) throw new FileFault('Is a directory')
    const known = this.file(path)
    const whole = append && known ? Buffer.concat([known.content, content]) : content
    this.#makeParents(path)
    this.#put(path, { kind: 'file', content: whole, mode, changedAt: this.now() })
  }

  /** @throws FileFault */
  makeDirectory(path: string): void {
    this.#guard(path)
    if (this.file(path)) throw new FileFault('File exists')
    if (this.isDirectory(path)) return
    this.#makeParents(path)
    this.#put(path, { kind: 'directory' })
  }

  /** With all below it. @throws FileFault */
  remove(path: string): void {
    this.#guard(path)
    for (const each of [...this.#paths(), path]) {
      if (each !== path && !each.startsWith(`${path}/`)) continue
      const entry = this.layer.entries.get(each)
      if (entry) this.layer.take(-sizeOf(each, entry))
      this.layer.entries.delete(each)
      const isBase =
        Object.hasOwn(this.base.files, each) ||
        DIRECTORIES.includes(each) ||
        this.base.directories?.includes(each)
      if (isBase) this.#put(each, { kind: 'gone' })
    }
  }

  /** A path and all below it, directories before what is in them. */
  *below(path: string): Generator<[path: string, node: FileNode | undefined]> {
    const node = this.file(path)
    yield [path, node]
    if (node) return
    for (const name of this.names(path)) yield* this.below(posix.join(path, name))
  }

  /** @throws FileFault */
  #guard(path: string): void {
    if (path.length > PATH_LIMIT) throw new FileFault('File name too long')
    if (this.base.readOnly?.some((each) => path === each || path.startsWith(`${each}/`))) {
      throw new FileFault('Read-only file system')
    }
    for (let at = posix.dirname(path); at !== '/'; at = posix.dirname(at)) {
      if (this.file(at)) throw new FileFault('Not a directory')
    }
  }

  #makeParents(path: string): void {
    for (let at = posix.dirname(path); at !== '/' && !this.isDirectory(at); at = posix.dirname(at)) {
      this.#put(at, { kind: 'directory' })
    }
  }

  /** @throws FileFault when there is no room */
  #put(path: string, entry: Entry): void {
    const { entries } = this.layer
    const before = entries.get(path)
    const needed = sizeOf(path, entry) - (before ? sizeOf(path, before) : 0)
    if ((!before && entries.size >= ENTRIES_LIMIT) || !this.layer.take(needed)) {
      throw new FileFault('No space left on device')
    }
    entries.set(path, entry)
  }

  #paths(): string[] {
    const { entries } = this.layer
    const isThere = (path: string): boolean => !entries.has(path)
    const written = [...entries].flatMap(([path, { kind }]) => (kind === 'gone' ? [] : [path]))
    const { files, directories = [] } = this.base
    return [...written, ...[...Object.keys(files), ...directories, ...DIRECTORIES].filter(isThere)]
  }
}

/** Names take room too. */
const sizeOf = (path: string, entry: Entry): number =>
  path.length + (entry.kind === 'file' ? entry.content.length : 0)
