/**
 * Tells a write that a crash cut short from data that was changed afterwards.
 *
 * A batch is written only after the one before it was synced. So damage with a valid frame behind it hit data
 * that was acknowledged. Damage at the very end is an unfinished write when bytes are missing, or when a sector
 * of it was never written and reads as zeros (a power failure may keep later sectors and lose earlier ones).
 * Anything else is a changed byte, perhaps in acknowledged data, and not for the program to throw away.
 */
import { type File } from './filesystem.js'
import { type Damaged, FRAME_HEADER_BYTES, frameKindAt } from './frame.js'

/** Stored data was changed or lost; going on would lose acknowledged writes. */
export class Corrupted extends Error {
  override readonly name = 'Corrupted'
  constructor(
    readonly file: string,
    readonly offset: number,
    what: string,
  ) {
    super(
      `storage: ${file} is damaged at offset ${offset}: ${what}. ` +
        'The file was left as it is: `orrery kube fsck` shows all that is damaged; restore a backup into an empty directory.',
    )
  }
}

const PIECE_BYTES = 1024 * 1024
const SECTOR_BYTES = 512
/** A shorter run of zeros where the damage begins may be data. At the end of the file it is none: no frame ends in zeros. */
const MIN_ZERO_BYTES = 32

/** Whether the damage is a write that never finished, so that all from there on may be cut off. */
export async function isTornTail(file: File, damage: Damaged): Promise<boolean> {
  const end = await file.size()
  if ((await nextFrame(file, damage.offset + 1, end)) !== undefined) return false
  return damage.truncated || (await zeroSectorWithin(file, damage.offset, end))
}

/** Where the next valid frame header stands, from an offset on. */
export async function nextFrame(file: File, from: number, end: number): Promise<number | undefined> {
  const piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
  for (let start = from; start + FRAME_HEADER_BYTES <= end; start += PIECE_BYTES - FRAME_HEADER_BYTES + 1) {
    const length = await file.read(piece, start)
    for (let at = 0; at + FRAME_HEADER_BYTES <= length; at++) {
      if (frameKindAt(piece, at, start + at)) return start + at
    }
  }
  return undefined
}

async function zeroSectorWithin(file: File, from: number, end: number): Promise<boolean> {
  const sector = Buffer.allocUnsafeSlow(SECTOR_BYTES)
  for (let start = from; start < end;) {
    const next = Math.min(start - (start % SECTOR_BYTES) + SECTOR_BYTES, end)
    const bytes = sector.subarray(0, next - start)
    await file.read(bytes, start)
    const isEnough = bytes.length >= MIN_ZERO_BYTES || next === end
    if (isEnough && bytes.every((byte) => byte === 0)) return true
    start = next
  }
  return false
}
