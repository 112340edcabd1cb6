/**
 * The streams of exec and attach over one WebSocket: each message begins with the number of its stream, and the last
 * one on the error stream says how the command ended.
 */
import { type IncomingMessage } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { badRequest } from '../../../apimachinery/errors/index.js'
import { type Exchange } from '../../server/exchange.js'
import { openSpdyChannels } from './spdychannels.js'

const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'channel.k8s.io', '']
const STDIN = 0
const ERROR = 3
/** In v5: the client has closed a stream. */
const CLOSE = 255
const NORMAL = 1000

const server = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  handleProtocols: (offered) => PROTOCOLS.find((name) => offered.has(name)) ?? false,
})

export interface Channels {
  write(stream: 1 | 2, text: string | Buffer): void
  /** Closes with what the client is told of the end. */
  finish(exitCode: number): void
  onInput(listener: (bytes: Buffer) => void): void
  /** The client will send no more. */
  onInputEnd(listener: () => void): void
  onClose(listener: () => void): void
}

/** @throws StatusError 400 when the request is no WebSocket that speaks of streams */
export function openChannels(exchange: Exchange, what: string): Promise<Channels> {
  const isWebSocket = exchange.request.upgrade && exchange.header('upgrade').toLowerCase() === 'websocket'
  if (exchange.request.upgrade && exchange.header('upgrade').toLowerCase() === 'spdy/3.1') {
    return openSpdyChannels(exchange, what)
  }
  if (!isWebSocket) {
    throw badRequest(`${what} into a simulated container needs an upgrade to a WebSocket or to SPDY/3.1`)
  }
  const offered = exchange
    .header('sec-websocket-protocol')
    .split(',')
    .map((text) => text.trim())
  if (!offered.some((name) => PROTOCOLS.includes(name))) {
    throw badRequest(
      `${what}: none of the protocols ${offered.join(', ')} is served, only ${PROTOCOLS.filter(Boolean).join(', ')}`,
    )
  }
  const { socket, head } = exchange.takeOver()
  const request = { method: 'GET', headers: exchange.headers } as unknown as IncomingMessage
  return new Promise((resolve) => {
    socket.once('close', () => exchange.abort())
    server.handleUpgrade(request, socket, head, (connection) => resolve(channelsOf(exchange, connection)))
  })
}

function channelsOf(exchange: Exchange, connection: WebSocket): Channels {
  const inputs: ((bytes: Buffer) => void)[] = []
  const ends: (() => void)[] = []
  connection.on('error', () => connection.terminate())
  connection.on('close', () => exchange.abort())
  connection.on('message', (data) => {
    const bytes = Buffer.isBuffer(data) ? data : Buffer.concat(data as Buffer[])
    if (bytes[0] === STDIN && bytes.length > 1) for (const listener of inputs) listener(bytes.subarray(1))
    if (bytes[0] === CLOSE && bytes[1] === STDIN) for (const listener of ends) listener()
  })
  const send = (stream: number, text: string | Buffer): void => {
    if (connection.readyState === connection.OPEN)
      connection.send(Buffer.concat([Buffer.of(stream), Buffer.from(text)]))
  }
  return {
    write: send,
    finish(exitCode) {
      send(ERROR, JSON.stringify(endOf(exitCode)))
      connection.close(NORMAL)
    },
    onInput: (listener) => void inputs.push(listener),
    onInputEnd: (listener) => void ends.push(listener),
    onClose: (listener) => void connection.once('close', listener),
  }
}

/** How a command ended, as the last words on the error stream. */
export function endOf(exitCode: number): object {
  if (exitCode === 0) return { metadata: {}, status: 'Success' }
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: command terminated with exit code ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  }
}
