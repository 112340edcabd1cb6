/** Servers that speak HTTP/2 as a test wants it: stream by stream, or frame by frame. */
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2'
import { createServer, type TLSSocket } from 'node:tls'
import { HttpTransport, type HttpOptions } from '../http/index.js'
import { Flag, FrameReader, Type } from '../http2/frames.js'
import { HeaderDecoder, HeaderEncoder } from '../http2/hpack/index.js'
import { certificates, listen, onCleanup } from './httppair.js'

/** A server of node with its own settings, told of streams, and a client of it. */
export async function streamPair(
  onStream: (stream: ServerHttp2Stream, path: string) => void,
  settings: { maxConcurrentStreams?: number; initialWindowSize?: number } = {},
) {
  const { serving, authority } = certificates()
  const http2: Http2SecureServer = createSecureServer({ ...serving, settings })
  let sessions = 0
  http2.on('session', (session) => {
    sessions++
    session.on('error', () => undefined)
    onCleanup(() => session.destroy())
  })
  http2.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    onStream(stream, headers[':path'] ?? '')
  })
  const server = `https://127.0.0.1:${await listen(http2)}`
  const client = new HttpTransport({ server, tls: { ca: authority.cert } })
  onCleanup(() => client.close())
  return { client, sessions: () => sessions }
}

/** What a server of frames is made of. */
export class FramePeer {
  readonly #socket: TLSSocket
  readonly #encoder = new HeaderEncoder()
  readonly connection: number

  constructor(socket: TLSSocket, connection: number) {
    this.#socket = socket
    this.connection = connection
  }

  frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array(0)): void {
    const head = Buffer.alloc(9)
    head.writeUIntBE(payload.length, 0, 3)
    head[3] = type
    head[4] = flags
    head.writeUInt32BE(stream, 5)
    if (!this.#socket.destroyed) this.#socket.write(Buffer.concat([head, payload]))
  }

  block(fields: readonly (readonly [string, string])[]): Buffer {
    this.#encoder.begin()
    for (const [name, value] of fields) this.#encoder.add(name, value)
    return Buffer.from(this.#encoder.finish())
  }

  answer(stream: number, body = 'ok', fields: readonly (readonly [string, string])[] = []): void {
    this.frame(Type.headers, Flag.endHeaders, stream, this.block([[':status', '200'], ...fields]))
    this.frame(Type.data, Flag.endStream, stream, Buffer.from(body))
  }

  goaway(last: number): void {
    const payload = Buffer.alloc(8)
    payload.writeUInt32BE(last, 0)
    this.frame(Type.goaway, 0, 0, payload)
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

/** A server that does with each request what `answer` says, and a client of it. */
export async function framePair(
  answer: (peer: FramePeer, stream: number, path: string) => void,
  more: Partial<HttpOptions> = {},
  onFrame: (type: number, stream: number, payload: Buffer) => void = () => undefined,
) {
  const { serving, authority } = certificates()
  let connections = 0
  const raw = createServer({ ...serving, ALPNProtocols: ['h2'] }, (socket) => {
    const peer = new FramePeer(socket, ++connections)
    socket.on('error', () => undefined)
    onCleanup(() => socket.destroy())
    const decoder = new HeaderDecoder()
    const ignore = (): void => undefined
    const reader = new FrameReader(
      {
        data: ignore,
        padding: ignore,
        end: ignore,
        frame(type, flags, stream, payload) {
          onFrame(type, stream, Buffer.from(payload))
          if (type === Type.settings && (flags & Flag.ack) === 0) peer.frame(Type.settings, Flag.ack, 0)
          if (type !== Type.headers) return
          let path = ''
          decoder.decode(payload, (name, value) => {
            if (name === ':path') path = value
          })
          answer(peer, stream, path)
        },
      },
      2 ** 20,
    )
    let preface = 24
    peer.frame(Type.settings, 0, 0)
    socket.on('data', (chunk: Buffer) => {
      const skipped = Math.min(preface, chunk.length)
      preface -= skipped
      reader.push(chunk.subarray(skipped))
    })
  })
  const server = `https://127.0.0.1:${await listen(raw)}`
  const client = new HttpTransport({ server, tls: { ca: authority.cert }, ...more })
  onCleanup(() => client.close())
  return { client, connections: () => connections }
}
