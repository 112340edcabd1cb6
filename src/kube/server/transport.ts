/** The server as a transport for callers in the same process: no socket, no copy, the same chain. */
import { type Duplex } from 'node:stream'
import {
  type Dispatched,
  type Headers,
  type ResponseSink,
  type Transport,
  type TransportRequest,
  type Upgraded,
} from '../../client/transport.js'
import { duplexPair } from './duplex.js'
import { type ServerRequest } from './exchange.js'

type Handle = (request: ServerRequest, sink: ResponseSink) => Dispatched

export function inProcessTransport(handle: Handle): Transport {
  return {
    dispatch: (request, sink) => handle({ ...request, sourceIP: '' }, sink),
    upgrade: (request, signal) => upgrade(handle, request, signal),
    async close() {},
  }
}

function upgrade(handle: Handle, request: TransportRequest, signal?: AbortSignal): Promise<Upgraded> {
  const [near, far] = duplexPair()
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let refused: { status: number; headers: Headers } | undefined
    const dispatched = handle(
      { ...request, sourceIP: '', upgrade: { socket: far, head: Buffer.alloc(0) } },
      {
        head: (status, headers) => (refused = { status, headers }),
        data: (chunk) => chunks.push(chunk) > 0,
        end() {
          near.destroy()
          if (refused) resolve({ ...refused, body: Buffer.concat(chunks) })
        },
        fail(error) {
          near.destroy()
          reject(error)
        },
      },
    )
    const leave = (): void => {
      dispatched.abort()
      near.destroy()
      reject(signal?.reason as Error)
    }
    signal?.addEventListener('abort', leave, { once: true })
    near.once('close', () => {
      signal?.removeEventListener('abort', leave)
      dispatched.abort()
    })
    readHead(near, (status, headers) => resolve({ status, headers, socket: near }))
  })
}

const END = '\r\n\r\n'

/** The status line and headers that a handler wrote when it took the connection over. */
function readHead(socket: Duplex, done: (status: number, headers: Headers) => void): void {
  let read = Buffer.alloc(0)
  const more = (): void => {
    for (let chunk = socket.read() as Buffer | null; chunk; chunk = socket.read() as Buffer | null) {
      read = Buffer.concat([read, chunk])
      const end = read.indexOf(END)
      if (end < 0) continue
      socket.off('readable', more)
      const rest = read.subarray(end + END.length)
      if (rest.length > 0) socket.unshift(rest)
      const [first = '', ...lines] = read.toString('latin1', 0, end).split('\r\n')
      const headers: Headers = {}
      for (const line of lines) {
        const colon = line.indexOf(':')
        headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
      }
      return done(Number(first.split(' ')[1]), headers)
    }
  }
  socket.on('readable', more)
}
