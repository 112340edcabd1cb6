/** The whole store at one revision as frames; the content of snapshot files and, compressed, of archives. */
import { type KeyValue } from '../interface.js'
import { compareKeys } from '../order.js'
import { lengthOf } from '../values.js'
import {
  type ByteSource,
  Damaged,
  decodeRecords,
  encodeFileHeader,
  FrameEncoder,
  readFileHeader,
  readFrame,
  type StoredRecord,
} from './frame.js'

/** Small enough that encoding one does not hold up requests. */
const FRAME_TARGET_BYTES = 256 * 1024

/**
 * The bytes of a snapshot piece by piece, each valid until the next is taken.
 *
 * @param runs the entries in ascending order, in pieces
 */
export function* encodeSnapshot(revision: number, runs: Iterable<readonly KeyValue[]>): Generator<Buffer> {
  const encoder = new FrameEncoder()
  const header = encodeFileHeader('snapshot', revision)
  let offset = header.length
  let total = 0
  let records: StoredRecord[] = []
  let bytes = 0
  yield header

  for (const run of runs) {
    for (const entry of run) {
      records.push({ type: 'put', entry })
      bytes += lengthOf(entry)
      if (bytes < FRAME_TARGET_BYTES) continue
      const frame = encoder.encode('entries', records, offset, 0)
      offset += frame.length
      total += records.length
      records = []
      bytes = 0
      yield frame
    }
  }
  if (records.length > 0) {
    const frame = encoder.encode('entries', records, offset, 0)
    offset += frame.length
    total += records.length
    yield frame
  }
  yield encoder.end(total, offset)
}

/**
 * @param keep what becomes of an entry, whose value is valid during the call only
 * @throws Damaged; Error when it is of another kind or version
 */
export async function decodeSnapshot(
  source: ByteSource,
  keep: (entry: KeyValue) => KeyValue = copied,
): Promise<{ revision: number; entries: KeyValue[] }> {
  const revision = await readFileHeader(source, 'snapshot')
  const entries: KeyValue[] = []
  for (;;) {
    const frame = await readFrame(source)
    if (!frame) throw new Damaged(source.offset, 'the end is missing', true)
    if (frame.kind === 'end') {
      if (frame.count !== entries.length) throw new Damaged(frame.offset, 'entries are missing')
      if ((await source.read(1)).length > 0) throw new Damaged(source.offset - 1, 'bytes behind the end')
      break
    }
    if (frame.kind !== 'entries') throw new Damaged(frame.offset, 'a frame that does not belong here')
    for (const { entry } of decodeRecords(frame)) {
      const last = entries.at(-1)
      if (last && compareKeys(last.key, entry.key) >= 0) throw new Damaged(frame.offset, 'keys out of order')
      entries.push(keep(entry))
    }
  }
  return { revision, entries }
}

function copied(entry: KeyValue): KeyValue {
  return { ...entry, value: Buffer.from(entry.value) }
}
