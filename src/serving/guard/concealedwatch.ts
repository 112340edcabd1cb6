/**
 * A watch over WebSocket, as the web console makes it, of a resource that holds what no client may read.
 *
 * Frames of somebody else's WebSocket cannot be looked into. So the Kubernetes API is asked for an ordinary watch, and
 * the frames are made here: one event each, as the Kubernetes API makes them.
 */
import { type WebSocket, WebSocketServer } from 'ws'
import { StatusError } from '../../apimachinery/errors/index.js'
import { isObject } from '../../apimachinery/json/index.js'
import { LineSplitter } from '../../client/cache/lines.js'
import { type Dispatched, type Transport } from '../../client/transport.js'
import { send } from '../answer.js'
import { type Exchange } from '../exchange.js'
import { responseHeaders } from '../headers.js'
import { bodilessRequest } from '../upstreamrequest.js'
import { type Conceal, concealed } from './concealment.js'

/** A reader this far behind has to catch up. */
const BUFFER_LIMIT = 64 * 1024
const [NORMAL, GOING_AWAY] = [1000, 1001]
const TOKEN_PROTOCOL = 'base64url.bearer.authorization.k8s.io.'

const server = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  // A protocol that carries a token is no protocol to speak.
  handleProtocols: (offered) => [...offered].find((name) => !name.startsWith(TOKEN_PROTOCOL)) ?? false,
})

export function isWebSocketWatch({ upgrade, info, request }: Exchange): boolean {
  return (
    upgrade !== undefined && info.verb === 'watch' && request.headers.upgrade?.toLowerCase() === 'websocket'
  )
}

/** Settles when the connection is over. @throws what the transport says when there is no answer at all */
export function watchConcealed(exchange: Exchange, conceal: Conceal, upstream: Transport): Promise<void> {
  const { headers, ...request } = bodilessRequest(exchange)
  for (const name of Object.keys(headers))
    if (/^(?:upgrade|connection|sec-websocket-.*)$/i.test(name)) delete headers[name]
  Object.assign(headers, { accept: 'application/json', 'accept-encoding': 'identity' })

  return new Promise((resolve, reject) => {
    let dispatched = undefined as Dispatched | undefined
    let connection: WebSocket | undefined
    let refusal: { status: number; headers: ReturnType<typeof responseHeaders>; body: Buffer[] } | undefined
    const over = (): void => {
      forget()
      dispatched?.abort()
      resolve()
    }
    const forget = exchange.onAbort(() => {
      connection?.close(GOING_AWAY)
      over()
    })
    const events = new LineSplitter((line) => {
      const event: unknown = JSON.parse(line.toString())
      if (isObject(event)) concealed(event['object'], conceal)
      connection?.send(JSON.stringify(event), resume)
    })
    const isFull = (): boolean => (connection?.bufferedAmount ?? 0) > BUFFER_LIMIT
    const resume = (): void => {
      if (!isFull()) dispatched?.resume()
    }

    dispatched = upstream.dispatch(
      { ...request, headers },
      {
        head(status, answered) {
          if (status === 200) connection = accept(exchange, over)
          else refusal = { status, headers: responseHeaders(answered), body: [] }
        },
        data(chunk) {
          refusal?.body.push(Buffer.from(chunk))
          if (refusal) return true
          try {
            events.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
          } catch {
            // What cannot be read is not let through.
            connection?.terminate()
          }
          return !isFull()
        },
        end() {
          if (refusal) {
            delete refusal.headers['content-length']
            send(exchange.response, refusal.status, refusal.headers, Buffer.concat(refusal.body))
          }
          connection?.close(NORMAL)
          over()
        },
        fail(error) {
          connection?.terminate()
          forget()
          if (connection) resolve()
          else reject(error)
        },
      },
    )
  })
}

function accept(exchange: Exchange, onClose: () => void): WebSocket {
  const { upgrade, request, response } = exchange
  if (!upgrade) throw new StatusError({ code: 400, reason: 'BadRequest', message: 'not an upgrade request' })
  response.detachSocket(upgrade.socket as never)
  // For the log and the metrics.
  response.statusCode = 101
  exchange.longRunning = true
  let accepted: WebSocket | undefined
  server.handleUpgrade(request, upgrade.socket, upgrade.head, (connection) => (accepted = connection))
  if (!accepted)
    throw new StatusError({ code: 400, reason: 'BadRequest', message: 'the WebSocket handshake failed' })
  accepted.on('error', () => accepted?.terminate())
  accepted.on('close', onClose)
  return accepted
}
