/**
 * The bytes of logs, snapshots and archives: a file header, then frames.
 *
 * File header, 32 bytes: "ORRERY", two letters for the kind, format version (u32), revision (u64), 8 bytes
 * zero, CRC-32 of all before (u32). The revision of a log is the last one before it; of a snapshot, its own.
 *
 * Frame: header of 36 bytes, then the payload. Header: magic by kind (u32), payload length (u32), CRC-32 of
 * the payload (u32), offset of the frame in its file (u64), time in ms (f64), number of records (u32), CRC-32
 * of all before (u32). A `batch` holds one commit of a log, `entries` a part of a snapshot, `end` nothing: it
 * counts the records of the whole snapshot.
 *
 * Record: type (u8: 1 put, 2 delete), createRevision (u64), modRevision (u64), length of key (u32) and of value
 * (u32), key, value. All numbers are big-endian.
 *
 * The offset makes a frame recognisable wherever a scan meets one, and stale bytes of another place not.
 */
import { crc32 } from 'node:zlib'
import { type KeyValue } from '../interface.js'
import { lengthOf } from '../values.js'

export const FORMAT_VERSION = 1
export const FILE_HEADER_BYTES = 32
export const FRAME_HEADER_BYTES = 36
const RECORD_HEADER_BYTES = 25
const PUT = 1
const DELETE = 2
/** A batch holds some 8 MiB and one value more at most. */
const MAX_PAYLOAD_BYTES = 256 * 1024 * 1024
const KEEP_SCRATCH_BYTES = 2 * 1024 * 1024

const MAGIC = { batch: 0x4f524254, entries: 0x4f52454e, end: 0x4f524544 } as const
const FILE_MAGIC = { log: 'ORRERYLG', snapshot: 'ORRERYSN' } as const

export type FrameKind = keyof typeof MAGIC
export type FileKind = keyof typeof FILE_MAGIC

export interface StoredRecord {
  readonly type: 'put' | 'delete'
  readonly entry: KeyValue
}

export interface Frame {
  readonly kind: FrameKind
  readonly offset: number
  readonly timeMs: number
  readonly count: number
  /** Valid until the next read from the source. */
  readonly payload: Buffer
}

/** Reads on from where it stands. */
export interface ByteSource {
  readonly offset: number
  /** The next bytes, fewer only at the end; valid until the next read. */
  read(length: number): Promise<Buffer>
}

/** The bytes at `offset` are not what was written there. */
export class Damaged extends Error {
  override readonly name = 'Damaged'
  constructor(
    readonly offset: number,
    readonly what: string,
    /** The bytes end before the frame does. */
    readonly truncated = false,
  ) {
    super(`damaged at offset ${offset}: ${what}`)
  }
}

export function encodeFileHeader(kind: FileKind, revision: number): Buffer {
  const header = Buffer.alloc(FILE_HEADER_BYTES)
  header.write(FILE_MAGIC[kind], 0, 'latin1')
  header.writeUInt32BE(FORMAT_VERSION, 8)
  writeUInt64(header, revision, 12)
  header.writeUInt32BE(crc32(header.subarray(0, 28)), 28)
  return header
}

/** @returns the revision @throws Damaged; Error when it is of another kind or version */
export async function readFileHeader(source: ByteSource, kind: FileKind): Promise<number> {
  const header = await source.read(FILE_HEADER_BYTES)
  if (header.length < FILE_HEADER_BYTES) throw new Damaged(0, 'file header cut short', true)
  if (header.every((byte) => byte === 0)) throw new Damaged(0, 'file header never written', true)
  if (header.toString('latin1', 0, 8) !== FILE_MAGIC[kind]) throw new Damaged(0, `not a ${kind} file`)
  const version = header.readUInt32BE(8)
  if (header.readUInt32BE(28) !== crc32(header.subarray(0, 28))) {
    throw new Damaged(0, 'checksum of the file header does not match')
  }
  if (version !== FORMAT_VERSION) {
    throw new Error(`format version ${version} is not supported; this program reads ${FORMAT_VERSION}`)
  }
  return readUInt64(header, 12)
}

/** Encodes frames into memory that it uses again: a frame is valid until the next one is encoded. */
export class FrameEncoder {
  #scratch = Buffer.allocUnsafeSlow(64 * 1024)

  encode(kind: FrameKind, records: readonly StoredRecord[], offset: number, timeMs: number): Buffer {
    let bound = FRAME_HEADER_BYTES
    for (const { entry } of records) bound += RECORD_HEADER_BYTES + entry.key.length * 3 + lengthOf(entry)
    const out = this.#room(bound)

    let at = FRAME_HEADER_BYTES
    for (const { type, entry } of records) at = writeRecord(out, at, type, entry)
    return finish(out, at, kind, records.length, offset, timeMs)
  }

  /** The last frame of a snapshot of `count` records. */
  end(count: number, offset: number): Buffer {
    return finish(this.#room(FRAME_HEADER_BYTES), FRAME_HEADER_BYTES, 'end', count, offset, 0)
  }

  #room(bytes: number): Buffer {
    const size = this.#scratch.length
    if (bytes > size || (size > KEEP_SCRATCH_BYTES && bytes < KEEP_SCRATCH_BYTES)) {
      this.#scratch = Buffer.allocUnsafeSlow(Math.ceil(bytes * 1.25))
    }
    return this.#scratch
  }
}

/** @returns undefined at the end of the bytes @throws Damaged */
export async function readFrame(source: ByteSource): Promise<Frame | undefined> {
  const { offset } = source
  const header = await source.read(FRAME_HEADER_BYTES)
  if (header.length === 0) return undefined
  if (header.length < FRAME_HEADER_BYTES) throw new Damaged(offset, 'frame header cut short', true)
  const kind = frameKindAt(header, 0, offset)
  if (!kind) throw new Damaged(offset, 'no valid frame header')

  const length = header.readUInt32BE(4)
  const checksum = header.readUInt32BE(8)
  const timeMs = header.readDoubleBE(20)
  const count = header.readUInt32BE(28)
  const payload = await source.read(length)
  if (payload.length < length) throw new Damaged(offset, 'frame cut short', true)
  if (crc32(payload) !== checksum) throw new Damaged(offset, 'checksum of the frame does not match')
  return { kind, offset, timeMs, count, payload }
}

/** Whether the bytes at `at`, which stand at `offset` in their file, are a valid frame header, and of what. */
export function frameKindAt(bytes: Buffer, at: number, offset: number): FrameKind | undefined {
  const magic = bytes.readUInt32BE(at)
  const kind = (Object.keys(MAGIC) as FrameKind[]).find((name) => MAGIC[name] === magic)
  if (!kind || readUInt64(bytes, at + 12) !== offset) return undefined
  if (bytes.readUInt32BE(at + 32) !== crc32(bytes.subarray(at, at + 32))) return undefined
  return bytes.readUInt32BE(at + 4) <= MAX_PAYLOAD_BYTES ? kind : undefined
}

/** The records of a frame; their values are views of it, valid as long as it is. @throws Damaged */
export function decodeRecords({ payload, count, offset }: Frame): StoredRecord[] {
  const records: StoredRecord[] = []
  let at = 0
  for (let i = 0; i < count; i++) {
    const keyAt = at + RECORD_HEADER_BYTES
    if (keyAt > payload.length) throw new Damaged(offset, `record ${i} is missing`)
    const valueAt = keyAt + payload.readUInt32BE(at + 17)
    const end = valueAt + payload.readUInt32BE(at + 21)
    if (end > payload.length) throw new Damaged(offset, `record ${i} reaches beyond its frame`)

    const value = payload.subarray(valueAt, end)
    const key = payload.toString('utf8', keyAt, valueAt)
    const createRevision = readUInt64(payload, at + 1)
    const modRevision = readUInt64(payload, at + 9)
    const type = payload[at] === DELETE ? 'delete' : 'put'
    records.push({ type, entry: { key, value, createRevision, modRevision } })
    at = end
  }
  return records
}

function writeRecord(out: Buffer, at: number, type: 'put' | 'delete', entry: KeyValue): number {
  const keyAt = at + RECORD_HEADER_BYTES
  const keyBytes = out.write(entry.key, keyAt)
  out[at] = type === 'put' ? PUT : DELETE
  writeUInt64(out, entry.createRevision, at + 1)
  writeUInt64(out, entry.modRevision, at + 9)
  out.writeUInt32BE(keyBytes, at + 17)
  const { value } = entry
  out.writeUInt32BE(value.length, at + 21)
  value.copy(out, keyAt + keyBytes)
  return keyAt + keyBytes + value.length
}

/** Completes the frame in `out[0, end)` with its header. */
function finish(
  out: Buffer,
  end: number,
  kind: FrameKind,
  count: number,
  offset: number,
  timeMs: number,
): Buffer {
  out.writeUInt32BE(MAGIC[kind], 0)
  out.writeUInt32BE(end - FRAME_HEADER_BYTES, 4)
  out.writeUInt32BE(crc32(out.subarray(FRAME_HEADER_BYTES, end)), 8)
  writeUInt64(out, offset, 12)
  out.writeDoubleBE(timeMs, 20)
  out.writeUInt32BE(count, 28)
  out.writeUInt32BE(crc32(out.subarray(0, 32)), 32)
  return out.subarray(0, end)
}

function writeUInt64(out: Buffer, value: number, at: number): void {
  out.writeUInt32BE(Math.floor(value / 2 ** 32), at)
  out.writeUInt32BE(value % 2 ** 32, at + 4)
}

function readUInt64(from: Buffer, at: number): number {
  return from.readUInt32BE(at) * 2 ** 32 + from.readUInt32BE(at + 4)
}
