/** Joins the connection of an upgraded request to another one, both ways, until either side is done. */
import { STATUS_CODES } from 'node:http'
import { type Duplex } from 'node:stream'
import { type Exchange } from './exchange.js'

/** Answers 101 and takes the connection out of HTTP. @throws Error when the request asked for no upgrade */
export function switchProtocols(exchange: Exchange, headers: Record<string, string | string[]>): Duplex {
  const { upgrade, response } = exchange
  if (!upgrade) throw new Error('not an upgrade request')
  const { socket } = upgrade
  response.detachSocket(socket as never)
  // For the log and the metrics.
  response.statusCode = 101
  const lines = [`HTTP/1.1 101 ${STATUS_CODES[101]}`, `Audit-Id: ${exchange.id}`]
  for (const [name, value] of Object.entries(headers)) {
    for (const one of [value].flat()) lines.push(`${name}: ${one.replace(/[\r\n]/g, ' ')}`)
  }
  socket.write(lines.join('\r\n') + '\r\n\r\n', 'latin1')
  return socket
}

export function tunnel(
  exchange: Exchange,
  upstream: Duplex,
  headers: Record<string, string | string[]>,
): void {
  const client = switchProtocols(exchange, headers)
  const { head } = exchange.upgrade as { head: Buffer }
  const close = (): void => {
    client.destroy()
    upstream.destroy()
  }
  for (const side of [client, upstream]) side.on('error', close).on('close', close)
  exchange.signal.addEventListener('abort', close, { once: true })
  if (head.byteLength > 0) upstream.write(head)
  upstream.pipe(client)
  client.pipe(upstream)
}
