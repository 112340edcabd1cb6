/**
 * As much of SPDY/3.1 as clients of Kubernetes use it: they open streams with headers, both sides send data, either
 * closes. No priorities, no pushed streams, no windows: neither side of these connections keeps any.
 */
import { type Duplex } from 'node:stream'
import { constants, createDeflate, createInflate } from 'node:zlib'
import { DICTIONARY } from './spdydictionary.js'

const SYN_STREAM = 1
const SYN_REPLY = 2
const RST_STREAM = 3
const PING = 6
const GOAWAY = 7
const FIN = 1
const VERSION = 3
/** Longer frames are nothing that a client of Kubernetes sends. */
const FRAME_LIMIT = 1024 * 1024
const STREAMS_LIMIT = 1000

export interface SpdyStream {
  headers: ReadonlyMap<string, string>
  onData(listener: (bytes: Buffer) => void): void
  onEnd(listener: () => void): void
  write(bytes: Uint8Array): void
  /** No more from here. */
  end(): void
}

interface Open {
  data: ((bytes: Buffer) => void)[]
  ends: (() => void)[]
}

/** Bytes as they come and go: a connection, or the messages of a WebSocket. */
export interface Wire {
  write(bytes: Uint8Array): void
  close(): void
}

export class SpdyServer {
  readonly #streams = new Map<number, Open>()
  readonly #inflate = createInflate({ dictionary: DICTIONARY, finishFlush: constants.Z_SYNC_FLUSH })
  readonly #deflate = createDeflate({ dictionary: DICTIONARY })
  #received: Buffer = Buffer.alloc(0)
  #work: Promise<void> = Promise.resolve()
  #broken = false

  constructor(
    private readonly wire: Wire,
    private readonly onStream: (stream: SpdyStream) => void,
  ) {
    this.#inflate.on('error', () => this.#break())
    this.#deflate.on('error', () => this.#break())
  }

  receive(bytes: Uint8Array): void {
    this.#received = Buffer.concat([this.#received, bytes])
    for (;;) {
      const all = this.#received
      if (all.length < 8 || this.#broken) return
      const length = all.readUInt32BE(4) & 0xffffff
      if (length > FRAME_LIMIT) return this.#break()
      if (all.length < 8 + length) return
      const [head, body] = [all.subarray(0, 8), all.subarray(8, 8 + length)]
      this.#received = all.subarray(8 + length)
      // Headers are unpacked in the order they came, and data waits for its stream.
      this.#work = this.#work.then(() => this.#frame(head, body)).catch(() => this.#break())
    }
  }

  close(): void {
    this.#inflate.close()
    this.#deflate.close()
    for (const { ends } of this.#streams.values()) for (const end of ends) end()
    this.#streams.clear()
  }

  #break(): void {
    if (this.#broken) return
    this.#broken = true
    this.wire.close()
  }

  async #frame(head: Buffer, body: Buffer): Promise<void> {
    const first = head.readUInt32BE(0)
    const flags = head[4] ?? 0
    if ((first & 0x80000000) === 0) {
      const stream = this.#streams.get(first)
      if (body.length > 0) for (const listener of stream?.data ?? []) listener(body)
      if (flags & FIN) this.#ended(first)
      return
    }
    switch (first & 0xffff) {
      case SYN_STREAM:
        return this.#opened(body, flags)
      case RST_STREAM:
        return this.#ended(body.readUInt32BE(0))
      case PING:
        return this.#control(PING, 0, body)
      case GOAWAY:
        return this.#break()
      default:
      // Settings and windows change nothing here.
    }
  }

  async #opened(body: Buffer, flags: number): Promise<void> {
    const id = body.readUInt32BE(0) & 0x7fffffff
    if (this.#streams.size >= STREAMS_LIMIT) throw new Error('too many streams')
    const headers = parseHeaders(await through(this.#inflate, body.subarray(10)))
    const open: Open = { data: [], ends: [] }
    this.#streams.set(id, open)
    const reply = Buffer.alloc(4)
    reply.writeUInt32BE(id)
    const none = await through(this.#deflate, Buffer.alloc(4))
    this.#control(SYN_REPLY, 0, Buffer.concat([reply, none]))
    this.onStream({
      headers,
      onData: (listener) => void open.data.push(listener),
      onEnd: (listener) => void open.ends.push(listener),
      write: (bytes) => this.#data(id, 0, bytes),
      end: () => this.#data(id, FIN, Buffer.alloc(0)),
    })
    if (flags & FIN) this.#ended(id)
  }

  #ended(id: number): void {
    const stream = this.#streams.get(id)
    this.#streams.delete(id)
    for (const end of stream?.ends ?? []) end()
  }

  #data(id: number, flags: number, bytes: Uint8Array): void {
    const head = Buffer.alloc(8)
    head.writeUInt32BE(id)
    head.writeUInt32BE(((flags << 24) | bytes.length) >>> 0, 4)
    if (!this.#broken) this.wire.write(Buffer.concat([head, bytes]))
  }

  #control(type: number, flags: number, body: Uint8Array): void {
    const head = Buffer.alloc(8)
    head.writeUInt16BE(0x8000 | VERSION)
    head.writeUInt16BE(type, 2)
    head.writeUInt32BE(((flags << 24) | body.length) >>> 0, 4)
    if (!this.#broken) this.wire.write(Buffer.concat([head, body]))
  }
}

/** What comes out of a compressor that stays open, for what goes in now. */
function through(
  codec: ReturnType<typeof createInflate | typeof createDeflate>,
  bytes: Buffer,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    codec.once('error', reject)
    const done = (): void => {
      codec.off('error', reject)
      resolve((codec.read() as Buffer | null) ?? Buffer.alloc(0))
    }
    codec.write(bytes, () => codec.flush(constants.Z_SYNC_FLUSH, done))
  })
}

function parseHeaders(block: Buffer): Map<string, string> {
  const headers = new Map<string, string>()
  let at = 4
  const text = (): string => {
    const length = block.readUInt32BE(at)
    const value = block.toString('utf8', at + 4, at + 4 + length)
    at += 4 + length
    return value
  }
  for (let left = block.readUInt32BE(0); left > 0; left--) headers.set(text().toLowerCase(), text())
  return headers
}

/** SPDY on a connection that has been upgraded. */
export function spdyOn(socket: Duplex, head: Buffer, onStream: (stream: SpdyStream) => void): void {
  const server = new SpdyServer(
    { write: (bytes) => void socket.write(bytes), close: () => socket.destroy() },
    onStream,
  )
  socket.on('data', (bytes: Buffer) => server.receive(bytes))
  socket.on('error', () => socket.destroy())
  socket.once('close', () => server.close())
  if (head.length > 0) server.receive(head)
}
