/**
 * Checks every byte of a store, for `orrery kube fsck`: all that is wrong, not just what a start would meet first.
 * Changes nothing.
 */
import { join } from 'node:path'
import { isTornTail, nextFrame } from './damage.js'
import { type File, type FileSystem, nodeFileSystem } from './filesystem.js'
import { Damaged, decodeRecords, FORMAT_VERSION, readFileHeader, readFrame, type FileKind } from './frame.js'
import { storeFiles } from './names.js'
import { readStore } from './reading.js'
import { fileSource } from './source.js'

export interface CheckedFile {
  name: string
  kind: FileKind
  bytes: number
  records: number
  /** What cannot be read back, in the order of offsets. */
  damage: { offset: number; what: string; bytes: number }[]
  /** Bytes at the end that a crash left unfinished; the next start cuts them off, nothing acknowledged is in them. */
  unfinished: number
}

export interface StoreCheck {
  formatVersion: number
  files: CheckedFile[]
  /** Of the store as a start would find it; undefined when it would refuse. */
  state: { revision: number; count: number } | undefined
  /** Why a start would refuse. */
  refusal: string | undefined
}

/** @throws Error when the directory cannot be read */
export async function checkStore(
  directory: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<StoreCheck> {
  const files: CheckedFile[] = []
  const found = storeFiles(await fileSystem.entries(directory))
  for (const [index, { name, kind }] of found.entries()) {
    const isLastLog = kind === 'log' && !found.slice(index + 1).some((other) => other.kind === 'log')
    const file = await fileSystem.open(join(directory, name), 'read')
    try {
      files.push(await checkFile(file, name, kind, isLastLog))
    } finally {
      await file.close()
    }
  }
  const result: StoreCheck = { formatVersion: FORMAT_VERSION, files, state: undefined, refusal: undefined }
  try {
    const { revision, count } = await readStore(directory, { fileSystem })
    result.state = { revision, count }
  } catch (error) {
    result.refusal = error instanceof Error ? error.message : String(error)
  }
  return result
}

async function checkFile(
  file: File,
  name: string,
  kind: FileKind,
  mayBeUnfinished: boolean,
): Promise<CheckedFile> {
  const bytes = await file.size()
  const result: CheckedFile = { name, kind, bytes, records: 0, damage: [], unfinished: 0 }
  let source = fileSource(file)
  try {
    await readFileHeader(source, kind)
  } catch (error) {
    if (!(error instanceof Damaged) && !(error instanceof Error)) throw error
    if (mayBeUnfinished && error instanceof Damaged && error.truncated)
      return { ...result, unfinished: bytes }
    const what = error instanceof Damaged ? error.what : error.message
    result.damage.push({ offset: 0, what, bytes: Math.min(bytes, source.offset) })
    if (!(error instanceof Damaged)) return result
  }
  let ended = false
  for (;;) {
    const from = source.offset
    try {
      const frame = await readFrame(source)
      if (!frame) break
      if (frame.kind === 'end') {
        ended = true
        if (frame.count !== result.records) throw new Damaged(from, 'entries are missing')
      } else result.records += decodeRecords(frame).length
    } catch (error) {
      if (!(error instanceof Damaged)) throw error
      if (mayBeUnfinished && (await isTornTail(file, error))) return { ...result, unfinished: bytes - from }
      const next = (await nextFrame(file, from + 1, bytes)) ?? bytes
      result.damage.push({ offset: from, what: error.what, bytes: next - from })
      if (next === bytes) break
      source = fileSource(file, next)
    }
  }
  if (kind === 'snapshot' && !ended && result.damage.length === 0) {
    result.damage.push({ offset: bytes, what: 'the end is missing', bytes: 0 })
  }
  return result
}
