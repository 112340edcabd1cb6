/**
 * Watches over WebSocket, as browsers make them: one event per text frame.
 */
import { type IncomingMessage } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { type WatchSink } from '../registry/watch.js'
import { type Exchange } from './exchange.js'

const TOKEN_PROTOCOL = 'base64url.bearer.authorization.k8s.io.'
/** A reader this far behind has to catch up. */
const BUFFER_LIMIT = 64 * 1024
const NORMAL = 1000

const server = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  // A protocol that carries a token is no protocol to speak.
  handleProtocols: (offered) => [...offered].find((name) => !name.startsWith(TOKEN_PROTOCOL)) ?? false,
})

export function wantsWebSocket(exchange: Exchange): boolean {
  const { upgrade } = exchange.request
  return upgrade !== undefined && exchange.header('upgrade').toLowerCase() === 'websocket'
}

/** Takes the connection over. @returns where the frames of a watch go */
export function webSocketSink(exchange: Exchange): Promise<WatchSink> {
  const { socket, head } = exchange.takeOver()
  // All that the library reads of a request.
  const request = { method: 'GET', headers: exchange.headers } as unknown as IncomingMessage
  return new Promise((resolve) => {
    socket.once('close', () => exchange.abort())
    server.handleUpgrade(request, socket, head, (connection) => resolve(sinkOf(exchange, connection)))
  })
}

function sinkOf(exchange: Exchange, connection: WebSocket): WatchSink {
  let full = false
  connection.on('error', () => connection.terminate())
  connection.on('close', () => exchange.abort())
  return {
    frame(bytes) {
      connection.send(bytes, { binary: false }, () => {
        if (!full || connection.bufferedAmount > BUFFER_LIMIT) return
        full = false
        exchange.resume()
      })
      full = connection.bufferedAmount > BUFFER_LIMIT
      return !full
    },
    end: () => connection.close(NORMAL),
  }
}
