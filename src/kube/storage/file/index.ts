/**
 * Storage in a directory, for one process at a time; survives kill -9 and power failure without losing an
 * acknowledged write. The content is held in memory too; reads never touch the disk.
 */
import { dirname, resolve } from 'node:path'
import { type Storage } from '../interface.js'
import { historyLimits, MvccStorage, SILENT, type StorageOptions } from '../mvcc.js'
import { type FileSystem, nodeFileSystem } from './filesystem.js'
import { FileJournal } from './journal.js'
import { lockDirectory } from './lock.js'
import { recover } from './recovery.js'

export { Corrupted } from './damage.js'
export { type File, type FileSystem, nodeFileSystem } from './filesystem.js'
export { Locked } from './lock.js'
export { checkStore, type StoreCheck } from './check.js'
export { readStore } from './reading.js'

export interface FileStorageOptions extends StorageOptions {
  /** Made when it is not there. */
  directory: string
  /** Logs smaller than this are not compacted; larger ones when they outweigh the live data. */
  minLogBytes?: number
  fileSystem?: FileSystem
}

const DEFAULT_MIN_LOG_BYTES = 32 * 1024 * 1024

/**
 * Opens the store, after taking back what a crash left.
 *
 * @throws Locked when a process has it open; Corrupted when stored data was changed; Error when a file is of
 *   another format version
 */
export async function openFileStorage(options: FileStorageOptions): Promise<Storage> {
  const directory = resolve(options.directory)
  const { fileSystem = nodeFileSystem } = options
  await fileSystem.makeDirectory(directory)
  await fileSystem.syncDirectory(dirname(directory))
  const lock = await lockDirectory(directory)
  try {
    return await openUnlocked({ ...options, directory, fileSystem }, () => lock.release())
  } catch (error) {
    await lock.release()
    throw error
  }
}

/**
 * Opens a directory that is there and that nobody else uses.
 *
 * @param release called when the store has been closed
 */
export async function openUnlocked(
  options: FileStorageOptions & { fileSystem: FileSystem },
  release?: () => Promise<void>,
): Promise<Storage> {
  const { directory, fileSystem, logger = SILENT, minLogBytes = DEFAULT_MIN_LOG_BYTES } = options
  const startedAt = performance.now()
  const nowMs = (options.now ?? Date.now)()
  const limits = historyLimits(options)
  const { history, ...found } = await recover({ fileSystem, directory, limits, nowMs, logger })
  const durationMs = Math.round(performance.now() - startedAt)
  logger.info(
    { directory, revision: history.revision, entries: history.tree.size, durationMs },
    'storage open',
  )

  const journal = new FileJournal({
    fileSystem,
    directory,
    logger,
    minLogBytes,
    ...found,
    ...(release && { release }),
  })
  return new MvccStorage(journal, history, options)
}
