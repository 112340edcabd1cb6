/** What each side tells the other of itself, RFC 9113 section 6.5. */
import { Code, ConnectionError, Setting } from './frames.js'
import { WINDOW } from './stream.js'

/** Of payloads that we take. Large enough that a large answer comes in full records of TLS, small enough that others are not kept waiting. */
export const MAX_FRAME = 256 * 1024
/** Bytes of a list of headers that we take. */
export const MAX_HEADERS = 64 * 1024
const MAX_WINDOW = 0x7fffffff

export const OURS: Buffer = encoded([
  [Setting.enablePush, 0],
  [Setting.initialWindowSize, WINDOW],
  [Setting.maxFrameSize, MAX_FRAME],
  [Setting.maxHeaderListSize, MAX_HEADERS],
])

export interface PeerSettings {
  headerTableSize: number
  maxConcurrentStreams: number
  initialWindowSize: number
  maxFrameSize: number
}

/** Until it has said otherwise. The number of streams is unlimited then; this is what is polite. */
export const DEFAULTS: PeerSettings = {
  headerTableSize: 4_096,
  maxConcurrentStreams: 100,
  initialWindowSize: 65_535,
  maxFrameSize: 16_384,
}

/** @returns what holds from now on. @throws ConnectionError */
export function settingsAfter(before: PeerSettings, payload: Buffer): PeerSettings {
  if (payload.length % 6 !== 0) throw new ConnectionError('settings cut short', Code.frameSize)
  const after = { ...before }
  for (let at = 0; at < payload.length; at += 6) {
    const value = payload.readUInt32BE(at + 2)
    switch (payload.readUInt16BE(at)) {
      case Setting.headerTableSize:
        after.headerTableSize = value
        break
      case Setting.maxConcurrentStreams:
        after.maxConcurrentStreams = value
        break
      case Setting.initialWindowSize:
        if (value > MAX_WINDOW) throw new ConnectionError('a window that cannot be', Code.flowControl)
        after.initialWindowSize = value
        break
      case Setting.maxFrameSize:
        if (value < 16_384 || value > 0xffffff) throw new ConnectionError('a frame size that cannot be')
        after.maxFrameSize = value
    }
  }
  return after
}

function encoded(settings: readonly (readonly [number, number])[]): Buffer {
  const bytes = Buffer.alloc(settings.length * 6)
  settings.forEach(([name, value], i) => {
    bytes.writeUInt16BE(name, i * 6)
    bytes.writeUInt32BE(value, i * 6 + 2)
  })
  return bytes
}
