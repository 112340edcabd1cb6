/**
 * Reads the directory of a store back: the newest snapshot, then the logs behind it.
 *
 * A log begins with the last revision before it. That is also a fence: what the log before it holds beyond
 * this revision is of a batch that failed and was rejected, and is not read.
 */
import { join } from 'node:path'
import { History, type HistoryLimits } from '../history.js'
import { FIRST_REVISION, type StorageLogger } from '../mvcc.js'
import { build, Tree } from '../tree.js'
import { Values } from '../values.js'
import { Corrupted, isTornTail } from './damage.js'
import { type File, type FileSystem } from './filesystem.js'
import { Damaged, decodeRecords, FILE_HEADER_BYTES, readFileHeader, readFrame } from './frame.js'
import { storeFiles, TEMPORARY_NAME } from './names.js'
import { decodeSnapshot } from './snapshot.js'
import { fileSource } from './source.js'

export interface RecoveryOptions {
  fileSystem: FileSystem
  directory: string
  limits: HistoryLimits
  nowMs: number
  logger: StorageLogger
}

export interface Recovered {
  history: History
  /** Highest number that a log here has, 0 for none. */
  lastLog: number
  /** The log to go on with; undefined when a new one is needed. */
  tail: { file: File; size: number } | undefined
  /** Bytes of the logs behind the snapshot. */
  logBytes: number
}

interface Log {
  path: string
  file: File
  /** Last revision before it. */
  base: number
}

/** @throws Corrupted; Error when a file is of an unknown format version */
export async function recover(options: RecoveryOptions): Promise<Recovered> {
  const { fileSystem, directory, limits, nowMs, logger } = options
  const names = await fileSystem.entries(directory)
  const files = storeFiles(names)
  const snapshots = files.filter(({ kind }) => kind === 'snapshot').map(({ name }) => join(directory, name))
  const logFiles = files.filter(({ kind }) => kind === 'log')
  const leftovers = snapshots.slice(0, -1)
  if (names.includes(TEMPORARY_NAME)) leftovers.push(join(directory, TEMPORARY_NAME))

  const newest = snapshots.at(-1)
  const values = new Values()
  const start = newest
    ? await readSnapshot(fileSystem, newest, values)
    : { revision: FIRST_REVISION, tree: Tree.empty }
  const history = new History(limits, start.tree, start.revision, values)

  const opened: Log[] = []
  let tail: Recovered['tail']
  let logBytes = 0
  try {
    for (const [index, { name }] of logFiles.entries()) {
      const path = join(directory, name)
      const log = await openLog(fileSystem, path, index === logFiles.length - 1)
      if (log) opened.push(log)
      else leftovers.push(path)
    }
    const firstNeeded = Math.max(
      opened.findLastIndex(({ base }) => base <= start.revision),
      0,
    )
    leftovers.push(...opened.slice(0, firstNeeded).map(({ path }) => path))

    const logs = opened.slice(firstNeeded)
    for (const [index, log] of logs.entries()) {
      const fence = logs[index + 1]?.base
      const { size, last } = await replay(log, history, start.revision, fence, nowMs)
      logBytes += size
      if (fence !== undefined) continue
      await cutTail(log, size, logger)
      if (last === history.revision) tail = { file: log.file, size }
    }
  } finally {
    for (const { file } of opened) if (file !== tail?.file) await file.close()
  }
  for (const path of leftovers) await fileSystem.remove(path)
  return { history, lastLog: logFiles.at(-1)?.number ?? 0, tail, logBytes }
}

async function readSnapshot(
  fileSystem: FileSystem,
  path: string,
  values: Values,
): Promise<{ revision: number; tree: Tree }> {
  const file = await fileSystem.open(path, 'read')
  try {
    const { revision, entries } = await decodeSnapshot(fileSource(file), (entry) => values.keep(entry))
    return { revision, tree: build(entries) }
  } catch (error) {
    throw located(error, path)
  } finally {
    await file.close()
  }
}

/** @returns undefined for a last log that the crash met before its header was written */
async function openLog(fileSystem: FileSystem, path: string, isLast: boolean): Promise<Log | undefined> {
  const file = await fileSystem.open(path, 'change')
  try {
    return { path, file, base: await readFileHeader(fileSource(file), 'log') }
  } catch (error) {
    const unborn =
      isLast && error instanceof Damaged && error.truncated && (await file.size()) <= FILE_HEADER_BYTES
    await file.close()
    if (unborn) return undefined
    throw located(error, path)
  }
}

/**
 * Adds the log's writes to the history.
 *
 * @param known revision of the snapshot: writes up to it are in the history already
 * @param fence last revision that counts, where another log follows
 * @returns size of the sound part of the log, and the last revision in it
 */
async function replay(
  log: Log,
  history: History,
  known: number,
  fence: number | undefined,
  nowMs: number,
): Promise<{ size: number; last: number }> {
  if (log.base > history.revision) {
    throw new Corrupted(log.path, 0, `revisions ${history.revision + 1} to ${log.base} are missing before it`)
  }
  const source = fileSource(log.file)
  await source.read(FILE_HEADER_BYTES)
  let size = source.offset
  let last = log.base
  try {
    while (fence === undefined || last < fence) {
      const frame = await readFrame(source)
      if (!frame) break
      if (frame.kind !== 'batch') throw new Damaged(frame.offset, 'a frame that does not belong here')
      for (const { type, entry } of decodeRecords(frame)) {
        const revision = entry.modRevision
        if (revision !== last + 1) {
          throw new Damaged(frame.offset, `revision ${revision} follows ${last}`)
        }
        last = revision
        if (revision <= known) continue
        history.append({ type, entry }, frame.timeMs)
      }
      history.trim(nowMs)
      size = source.offset
    }
  } catch (error) {
    const atTail = fence === undefined && error instanceof Damaged && (await isTornTail(log.file, error))
    if (!atTail) throw located(error, log.path)
  }
  if (fence !== undefined && last !== fence) {
    throw new Corrupted(log.path, size, `revisions ${last + 1} to ${fence} are missing`)
  }
  return { size, last }
}

/** Cuts off what a crash left half written, and makes sure that what was read is on the disk. */
async function cutTail({ path, file }: Log, size: number, logger: StorageLogger): Promise<void> {
  const torn = (await file.size()) - size
  if (torn > 0) {
    logger.warn({ file: path, offset: size, bytes: torn }, 'cut off a write that a crash left unfinished')
    await file.truncate(size)
  }
  await file.sync()
}

function located(error: unknown, path: string): Error {
  if (error instanceof Damaged) return new Corrupted(path, error.offset, error.what)
  const message = error instanceof Error ? error.message : String(error)
  return new Error(`storage: cannot read ${path}: ${message}`, { cause: error })
}
