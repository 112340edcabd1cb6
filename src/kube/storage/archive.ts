/**
 * Backup and restore of a whole store as one stream: a snapshot, gzip-compressed.
 *
 * The format is that of snapshot files: versioned, every part checksummed, with the number of entries at the
 * end, so a shortened or changed archive is refused before anything is stored.
 */
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { decodeSnapshot, encodeSnapshot } from './file/snapshot.js'
import { streamSource } from './file/source.js'
import { type KeyValue, type Storage } from './interface.js'

/** The stream is not an archive, of an unknown version, cut short or changed. */
export class InvalidArchive extends Error {
  override readonly name = 'InvalidArchive'
}

/** Entries are stored again soon after; speed matters more than the last tenth of size. */
const COMPRESSION_LEVEL = 3

/**
 * Writes everything as of now and ends the stream. Writes to the store go on meanwhile and are not in it.
 *
 * @returns number of entries written
 * @throws what the stream fails with, or the signal's reason
 */
export async function exportStorage(
  storage: Storage,
  writable: Writable,
  signal?: AbortSignal,
): Promise<number> {
  const { items, revision } = storage.list('')
  await exportEntries(revision, [items], writable, signal)
  return items.length
}

/** The same of entries in ascending order, in pieces. */
export async function exportEntries(
  revision: number,
  runs: Iterable<readonly KeyValue[]>,
  writable: Writable,
  signal?: AbortSignal,
): Promise<void> {
  function* pieces() {
    // The encoder uses its memory again; the stream holds on to what it is given.
    for (const piece of encodeSnapshot(revision, runs)) yield Buffer.from(piece)
  }
  const source = Readable.from(pieces(), { objectMode: false })
  const gzip = createGzip({ level: COMPRESSION_LEVEL })
  await (signal ? pipeline(source, gzip, writable, { signal }) : pipeline(source, gzip, writable))
}

/**
 * Loads an archive into an empty store, all or nothing. Entries keep their revisions, and the store goes on
 * behind the archive's.
 *
 * @returns number of entries loaded
 * @throws InvalidArchive; Unwritable; Error when the store is not empty
 */
export async function importStorage(
  readable: Readable,
  storage: Storage,
  signal?: AbortSignal,
): Promise<number> {
  const { revision, entries } = await readArchive(readable, signal)
  await storage.load(entries, revision)
  return entries.length
}

async function readArchive(readable: Readable, signal?: AbortSignal): ReturnType<typeof decodeSnapshot> {
  const gunzip = createGunzip()
  const decode = (stream: AsyncIterable<Buffer>) => decodeSnapshot(streamSource(stream))
  try {
    return await (signal
      ? pipeline(readable, gunzip, decode, { signal })
      : pipeline(readable, gunzip, decode))
  } catch (cause) {
    signal?.throwIfAborted()
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new InvalidArchive(`storage: cannot read the archive: ${message}`, { cause })
  }
}
