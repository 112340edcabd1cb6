/**
 * The few file operations that storage needs, as an interface: tests put a full or failing disk behind it.
 */
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'

export interface File {
  size(): Promise<number>
  /** Fills the buffer from the position; returns fewer bytes only at the end of the file. */
  read(into: Buffer, position: number): Promise<number>
  /** Writes all of it, or rejects; what has reached the file then is unknown. */
  write(bytes: Buffer, position: number): Promise<void>
  truncate(length: number): Promise<void>
  /** Settles when what was written, and the length, is on the disk. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface FileSystem {
  makeDirectory(path: string): Promise<void>
  entries(directory: string): Promise<string[]>
  /** `create` empties a file that is there. */
  open(path: string, mode: 'create' | 'change' | 'read'): Promise<File>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  /** Settles when names made, changed or removed in the directory are on the disk. */
  syncDirectory(directory: string): Promise<void>
}

const FLAGS = { create: 'w+', change: 'r+', read: 'r' } as const

/** Secrets are stored here: nobody but the owner may read. */
const DIRECTORY_MODE = 0o700
const FILE_MODE = 0o600

export const nodeFileSystem: FileSystem = {
  async makeDirectory(path) {
    await mkdir(path, { recursive: true, mode: DIRECTORY_MODE })
  },
  entries: (directory) => readdir(directory),
  rename,
  remove: (path) => rm(path, { force: true }),
  async syncDirectory(directory) {
    const handle = await open(directory, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
  async open(path, mode) {
    const handle = await open(path, FLAGS[mode], FILE_MODE)
    return {
      size: async () => (await handle.stat()).size,
      async read(into, position) {
        let done = 0
        while (done < into.length) {
          const { bytesRead } = await handle.read(into, done, into.length - done, position + done)
          if (bytesRead === 0) break
          done += bytesRead
        }
        return done
      },
      async write(bytes, position) {
        let done = 0
        while (done < bytes.length) {
          const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
          if (bytesWritten === 0) throw new Error(`nothing could be written to ${path}`)
          done += bytesWritten
        }
      },
      truncate: (length) => handle.truncate(length),
      sync: () => handle.datasync(),
      close: () => handle.close(),
    }
  },
}
