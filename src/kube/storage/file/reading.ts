/**
 * Reads the directory of a store without changing it, also while a server is using it: files are complete or
 * recognisably unfinished at any moment, so what is read is the state as of some acknowledged write.
 */
import { historyLimits, SILENT, type StorageLogger } from '../mvcc.js'
import { leaves } from '../tree.js'
import { type KeyValue } from '../interface.js'
import { type FileSystem, nodeFileSystem } from './filesystem.js'
import { recover } from './recovery.js'

export interface StoredState {
  revision: number
  count: number
  /** All entries in ascending order, in pieces. */
  runs: Iterable<readonly KeyValue[]>
}

/** A running server replaces its files when it compacts them: then it is looked again. */
const ATTEMPTS = 50

/** @throws Corrupted; Error when a file cannot be read or is of another format version */
export async function readStore(
  directory: string,
  { fileSystem = nodeFileSystem, logger = SILENT }: { fileSystem?: FileSystem; logger?: StorageLogger } = {},
): Promise<StoredState> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { history, tail } = await recover({
        fileSystem: unchanged(fileSystem),
        directory,
        limits: historyLimits({}),
        nowMs: Date.now(),
        logger,
      })
      await tail?.file.close()
      const { revision, tree } = history
      return { revision, count: tree.size, runs: leaves(tree) }
    } catch (error) {
      if (attempt === ATTEMPTS || !isGone(error)) throw error
    }
  }
}

/** The same files, to look at only. */
function unchanged(fileSystem: FileSystem): FileSystem {
  const nothing = async () => {}
  return {
    makeDirectory: nothing,
    entries: (directory) => fileSystem.entries(directory),
    async open(path) {
      const file = await fileSystem.open(path, 'read')
      const refuse = () => Promise.reject(new Error('opened for reading only'))
      return { ...file, write: refuse, truncate: nothing, sync: nothing }
    },
    rename: () => Promise.reject(new Error('opened for reading only')),
    remove: nothing,
    syncDirectory: nothing,
  }
}

function isGone(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ((at as NodeJS.ErrnoException).code === 'ENOENT') return true
  }
  return false
}
