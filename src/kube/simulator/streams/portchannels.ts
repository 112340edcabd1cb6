/**
 * `pods/portforward` over the numbered streams of a WebSocket, as client libraries speak it: two streams for each port of
 * the query, one for data and one for what went wrong. The first message on each is the port, two bytes, low first.
 */
import { type IncomingMessage } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { badRequest } from '../../../apimachinery/errors/index.js'
import { type Exchange } from '../../server/exchange.js'

const PROTOCOLS = ['v4.channel.k8s.io', 'channel.k8s.io', '']
const NORMAL = 1000

const server = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  handleProtocols: (offered) => PROTOCOLS.find((name) => offered.has(name)) ?? false,
})

/** One of the two streams of a port. */
export interface PortStream {
  write(bytes: Uint8Array): void
  end(): void
  onData(listener: (bytes: Buffer) => void): void
}

export function speaksChannels(exchange: Exchange): boolean {
  const offered = exchange.header('sec-websocket-protocol').split(',')
  return offered.some((name) => PROTOCOLS.includes(name.trim()))
}

/** @throws StatusError 400 for a query without ports */
function portsOf({ query }: Exchange): number[] {
  const ports = query.getAll('ports').flatMap((text) => text.split(','))
  const numbers = ports.map(Number)
  if (ports.length === 0 || numbers.some((port) => !Number.isInteger(port) || port < 1 || port > 65535)) {
    throw badRequest('query parameter "ports" must name at least one port from 1 to 65535')
  }
  return numbers
}

/** @param onPort called for each port when the connection is open */
export function openPortChannels(
  exchange: Exchange,
  onPort: (port: number, data: PortStream, errors: PortStream) => void,
): void {
  const ports = portsOf(exchange)
  const { socket, head } = exchange.takeOver()
  socket.once('close', () => exchange.abort())
  const request = { method: 'GET', headers: exchange.headers } as unknown as IncomingMessage
  server.handleUpgrade(request, socket, head, (connection) => serve(connection, ports, onPort))
}

function serve(
  connection: WebSocket,
  ports: readonly number[],
  onPort: (port: number, data: PortStream, errors: PortStream) => void,
): void {
  const listeners = new Map<number, (bytes: Buffer) => void>()
  const open = new Set(ports.map((_, i) => i * 2))
  const send = (stream: number, bytes: Uint8Array): void => {
    if (connection.readyState === connection.OPEN) connection.send(Buffer.concat([Buffer.of(stream), bytes]))
  }
  const streamOf = (number: number): PortStream => ({
    write: (bytes) => send(number, bytes),
    end() {
      // There is no way to close one stream: the last one closes the connection.
      open.delete(number)
      if (open.size === 0) connection.close(NORMAL)
    },
    onData: (listener) => void listeners.set(number, listener),
  })
  connection.on('error', () => connection.terminate())
  connection.on('message', (data) => {
    const bytes = Buffer.isBuffer(data) ? data : Buffer.concat(data as Buffer[])
    if (bytes.length > 1) listeners.get(bytes[0] ?? 0)?.(bytes.subarray(1))
  })
  ports.forEach((port, i) => {
    const name = Buffer.alloc(2)
    name.writeUInt16LE(port)
    for (const stream of [2 * i, 2 * i + 1]) send(stream, name)
    onPort(port, streamOf(2 * i), { ...streamOf(2 * i + 1), end: () => undefined })
  })
}
