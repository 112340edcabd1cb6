/**
 * The durable journal: an append-only log, one write and one sync per batch, and snapshots that let old logs go.
 *
 * When a write or sync fails, how much of it is on the disk is unknown, and after a failed sync a second one
 * proves nothing. So the log is given up: the next batch starts a new one, whose header fences off whatever of
 * the failed batch survives in the old (see recovery.ts). While that cannot be written, nothing is accepted.
 *
 * Compaction: when the logs outweigh the live data, a new log begins and the state as of then, an immutable
 * tree, is written to a snapshot in the background, in small pieces. Snapshot and logs are complete at any
 * moment of this, so a crash needs no repair.
 */
import { join } from 'node:path'
import { type Change } from '../history.js'
import { type Journal, type Snapshot, type StorageLogger } from '../mvcc.js'
import { leaves } from '../tree.js'
import { type File, type FileSystem } from './filesystem.js'
import { encodeFileHeader, FrameEncoder } from './frame.js'
import { logName, snapshotName, storeFiles, TEMPORARY_NAME } from './names.js'
import { encodeSnapshot } from './snapshot.js'

export interface FileJournalOptions {
  fileSystem: FileSystem
  directory: string
  logger: StorageLogger
  /** Logs are not compacted before they have this size. */
  minLogBytes: number
  /** From recovery. */
  lastLog: number
  tail: { file: File; size: number } | undefined
  logBytes: number
  /** Called at the end of `close`. */
  release?: () => Promise<void>
}

interface Log {
  readonly file: File
  size: number
}

/** So that the sync at the end of a snapshot does not hold up those of the log. */
const SNAPSHOT_SYNC_BYTES = 8 * 1024 * 1024

export class FileJournal implements Journal {
  readonly #fileSystem: FileSystem
  readonly #directory: string
  readonly #logger: StorageLogger
  readonly #minLogBytes: number
  readonly #release: (() => Promise<void>) | undefined
  readonly #encoder = new FrameEncoder()
  /** Undefined when the next batch must start a new one. */
  #log: Log | undefined
  #lastLog: number
  /** Bytes written to logs since the last snapshot, and how many of them call for the next. */
  #logBytes: number
  #compactFrom: number
  #compaction: Promise<void> | undefined
  #closing = false

  constructor(options: FileJournalOptions) {
    this.#fileSystem = options.fileSystem
    this.#directory = options.directory
    this.#logger = options.logger
    this.#minLogBytes = options.minLogBytes
    this.#release = options.release
    this.#lastLog = options.lastLog
    this.#log = options.tail && { ...options.tail }
    this.#logBytes = options.logBytes
    this.#compactFrom = options.minLogBytes
  }

  /** After the callbacks of this turn of the event loop, so that requests arriving together share a sync. */
  gather(run: () => void): void {
    setImmediate(run)
  }

  async append(changes: readonly Change[], timeMs: number, before: () => Snapshot): Promise<void> {
    const state = before()
    if (!this.#compaction && this.#logBytes > Math.max(this.#compactFrom, state.bytes)) {
      await this.#leaveLog()
      await this.#startLog(state.revision)
      this.#compaction = this.#compact(state).finally(() => (this.#compaction = undefined))
    }
    this.#log ??= await this.#startLog(state.revision)
    const log = this.#log
    const frame = this.#encoder.encode('batch', changes, log.size, timeMs)
    try {
      await log.file.write(frame, log.size)
      await log.file.sync()
    } catch (error) {
      await this.#leaveLog()
      throw error
    }
    log.size += frame.length
    this.#logBytes += frame.length
  }

  async replace(snapshot: Snapshot): Promise<void> {
    await this.#compaction
    await this.#leaveLog()
    await this.#writeSnapshot(snapshot)
    await this.#removeObsolete(snapshot.revision, this.#lastLog + 1)
    this.#logBytes = 0
  }

  async close(): Promise<void> {
    this.#closing = true
    await this.#compaction
    await this.#leaveLog()
    await this.#release?.()
  }

  /** @param base last revision before it */
  async #startLog(base: number): Promise<Log> {
    const path = join(this.#directory, logName(this.#lastLog + 1))
    const header = encodeFileHeader('log', base)
    const file = await this.#fileSystem.open(path, 'create')
    try {
      await file.write(header, 0)
      await file.sync()
      await this.#fileSystem.syncDirectory(this.#directory)
    } catch (error) {
      await settled(file.close())
      await settled(this.#fileSystem.remove(path))
      throw error
    }
    this.#lastLog++
    this.#log = { file, size: header.length }
    return this.#log
  }

  /** Writes no more to the current log. What it holds beyond its known size is cut off if that is possible. */
  async #leaveLog(): Promise<void> {
    const log = this.#log
    this.#log = undefined
    if (!log) return
    await settled(log.file.truncate(log.size))
    await settled(log.file.close())
  }

  async #compact(snapshot: Snapshot): Promise<void> {
    const firstNeeded = this.#lastLog
    const logBytes = this.#logBytes
    const startedAt = performance.now()
    try {
      await this.#writeSnapshot(snapshot)
      await this.#removeObsolete(snapshot.revision, firstNeeded)
      this.#logBytes -= logBytes
      this.#compactFrom = this.#minLogBytes
      const durationMs = Math.round(performance.now() - startedAt)
      this.#logger.info(
        { revision: snapshot.revision, entries: snapshot.tree.size, durationMs },
        'log compacted',
      )
    } catch (error) {
      if (this.#closing) return
      this.#compactFrom = this.#logBytes + this.#minLogBytes
      this.#logger.warn({ err: error }, 'log could not be compacted')
    }
  }

  async #writeSnapshot({ revision, tree }: Snapshot): Promise<void> {
    const temporary = join(this.#directory, TEMPORARY_NAME)
    const file = await this.#fileSystem.open(temporary, 'create')
    try {
      let size = 0
      let synced = 0
      for (const piece of encodeSnapshot(revision, leaves(tree))) {
        if (this.#closing) throw new Error('closing')
        await file.write(piece, size)
        size += piece.length
        if (size - synced < SNAPSHOT_SYNC_BYTES) continue
        await file.sync()
        synced = size
      }
      await file.sync()
      await file.close()
    } catch (error) {
      await settled(file.close())
      await settled(this.#fileSystem.remove(temporary))
      throw error
    }
    await this.#fileSystem.rename(temporary, join(this.#directory, snapshotName(revision)))
    await this.#fileSystem.syncDirectory(this.#directory)
  }

  /** Removes what the snapshot of this revision stands for. Recovery does it otherwise, so errors do not matter. */
  async #removeObsolete(revision: number, firstNeededLog: number): Promise<void> {
    const names = await this.#fileSystem.entries(this.#directory).catch(() => [])
    for (const { kind, name, number } of storeFiles(names)) {
      const needed = kind === 'log' ? number >= firstNeededLog : number === revision
      if (!needed) await settled(this.#fileSystem.remove(join(this.#directory, name)))
    }
  }
}

/** Waits for a cleanup whose failure changes nothing. */
async function settled(work: Promise<unknown>): Promise<void> {
  await work.catch(() => {})
}
