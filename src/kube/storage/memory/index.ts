/**
 * Storage that lives as long as the process. Writes become visible in a microtask, those of one moment
 * together, so code sees the same order of things as with files.
 */
import { History } from '../history.js'
import { type Storage } from '../interface.js'
import { FIRST_REVISION, historyLimits, type Journal, MvccStorage, type StorageOptions } from '../mvcc.js'
import { Tree } from '../tree.js'

const NO_JOURNAL: Journal = {
  gather: queueMicrotask,
  async append() {},
  async replace() {},
  async close() {},
}

export function createMemoryStorage(options: StorageOptions = {}): Storage {
  const history = new History(historyLimits(options), Tree.empty, FIRST_REVISION)
  return new MvccStorage(NO_JOURNAL, history, options)
}
