/**
 * `pods/portforward`: SPDY on the connection itself, as kubectl up to 1.30 speaks it, or inside of a WebSocket. Each
 * forwarded connection is a pair of streams, one for data and one for what went wrong. Numbered streams: portchannels.ts.
 */
import { type IncomingMessage } from 'node:http'
import { WebSocketServer } from 'ws'
import { badRequest } from '../../../apimachinery/errors/index.js'
import { type Pod } from '../../builtin/types.js'
import { type Rules } from '../rules/index.js'
import { type Exchange } from '../../server/exchange.js'
import { type Page, PageConnection, pageAt } from './pages.js'
import { openPortChannels, speaksChannels } from './portchannels.js'
import { spdyOn, SpdyServer, type SpdyStream } from './spdy.js'

const PROTOCOL = 'portforward.k8s.io'
const TUNNEL = `SPDY/3.1+${PROTOCOL}`

const server = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  handleProtocols: (offered) => (offered.has(TUNNEL) ? TUNNEL : false),
})

/** @throws StatusError 400 when the request is no upgrade to one of both */
export function servePortForward(
  rules: Rules,
  exchange: Exchange,
  current: () => Readonly<Pod> | undefined,
): boolean {
  const kind = exchange.request.upgrade ? exchange.header('upgrade').toLowerCase() : ''
  const isTunnel = kind === 'websocket' && exchange.header('sec-websocket-protocol').includes(TUNNEL)
  if (kind === 'websocket' && !isTunnel && speaksChannels(exchange)) {
    openPortChannels(exchange, (port, data, errors) => forward(rules, data, errors, port, current))
    return true
  }
  if (kind !== 'spdy/3.1' && !isTunnel) {
    throw badRequest(`port-forward needs an upgrade to SPDY/3.1, or a WebSocket with the protocol ${TUNNEL}`)
  }
  const errors = new Map<string, SpdyStream>()
  const onStream = (stream: SpdyStream): void => {
    const [type, id = '', port] = ['streamtype', 'requestid', 'port'].map((name) => stream.headers.get(name))
    if (type === 'error') return void errors.set(id, stream)
    forward(rules, stream, errors.get(id), Number(port), current)
    stream.onEnd(() => errors.delete(id))
  }
  const { socket, head } = exchange.takeOver()
  socket.once('close', () => exchange.abort())
  if (isTunnel) {
    const request = { method: 'GET', headers: exchange.headers } as unknown as IncomingMessage
    server.handleUpgrade(request, socket, head, (connection) => {
      const write = (bytes: Uint8Array): void => connection.send(bytes)
      const spdy = new SpdyServer({ write, close: () => connection.close() }, onStream)
      connection.on('error', () => connection.terminate())
      connection.on('message', (data) =>
        spdy.receive(Buffer.isBuffer(data) ? data : Buffer.concat(data as Buffer[])),
      )
      connection.on('close', () => spdy.close())
    })
    return true
  }
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${PROTOCOL}\r\n\r\n`,
  )
  spdyOn(socket, head, onStream)
  return true
}

function forward(
  rules: Rules,
  data: Pick<SpdyStream, 'write' | 'end' | 'onData'>,
  errors: Pick<SpdyStream, 'write' | 'end'> | undefined,
  port: number,
  current: () => Readonly<Pod> | undefined,
): void {
  const page = (request: string): Page | undefined => {
    const pod = current()
    return pod && pageAt(rules, pod, port, request)
  }
  if (page('') === undefined) {
    errors?.write(Buffer.from(`connection refused: nothing listens on port ${port} of this simulated pod\n`))
    errors?.end()
    return data.end()
  }
  const finish = (): void => {
    errors?.end()
    data.end()
  }
  const connection = new PageConnection(page, (bytes) => data.write(bytes), finish)
  data.onData((bytes) => connection.receive(bytes))
}
