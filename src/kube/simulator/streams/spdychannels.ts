/** The streams of exec and attach over SPDY, as kubectl before 1.30 asks for them: one for each of its files, one for the end. */
import { badRequest } from '../../../apimachinery/errors/index.js'
import { type Exchange } from '../../server/exchange.js'
import { type Channels, endOf } from './channels.js'
import { spdyOn, type SpdyStream } from './spdy.js'

const PROTOCOL = 'v4.channel.k8s.io'
/** A client that has heard of the end closes the connection; one that does not is left after this. */
const LINGER_MS = 10_000

/** @throws StatusError 400 when the client speaks older protocols only */
export function openSpdyChannels(exchange: Exchange, what: string): Promise<Channels> {
  const offered = [exchange.headers['x-stream-protocol-version'] ?? ''].flat().join(',')
  if (!offered.includes(PROTOCOL)) {
    throw badRequest(`${what}: none of the protocols ${offered} is served, only ${PROTOCOL}`)
  }
  const wanted = ['error', ...['stdin', 'stdout', 'stderr'].filter((name) => isAsked(exchange, name))]
  const { socket, head } = exchange.takeOver()
  socket.once('close', () => exchange.abort())
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${PROTOCOL}\r\n\r\n`,
  )
  return new Promise((resolve) => {
    const streams = new Map<string, SpdyStream>()
    const input = new Input()
    spdyOn(socket, head, (stream) => {
      const type = stream.headers.get('streamtype') ?? ''
      streams.set(type, stream)
      if (type === 'stdin') input.take(stream)
      if (!wanted.every((name) => streams.has(name))) return
      resolve({
        write: (to, text) =>
          (streams.get(to === 2 ? 'stderr' : 'stdout') ?? streams.get('stdout'))?.write(Buffer.from(text)),
        finish(exitCode) {
          streams.get('error')?.write(Buffer.from(JSON.stringify(endOf(exitCode))))
          for (const each of streams.values()) each.end()
          setTimeout(() => socket.destroy(), LINGER_MS).unref()
        },
        onInput: (listener) => input.onBytes(listener),
        onInputEnd: (listener) => input.onEnd(listener),
        onClose: (listener) => void socket.once('close', listener),
      })
    })
  })
}

/** A terminal has one output for both. */
function isAsked({ query }: Exchange, name: string): boolean {
  const isTrue = (flag: string): boolean => ['true', '1'].includes(query.get(flag) ?? '')
  return isTrue(name) && !(name === 'stderr' && isTrue('tty'))
}

/** What is typed before anybody listens is kept. */
class Input {
  #early: Buffer[] = []
  #ended = false
  readonly #listeners: ((bytes: Buffer) => void)[] = []
  readonly #ends: (() => void)[] = []

  take(stream: SpdyStream): void {
    stream.onData((bytes) => {
      if (this.#listeners.length === 0) this.#early.push(bytes)
      for (const listener of this.#listeners) listener(bytes)
    })
    stream.onEnd(() => {
      this.#ended = true
      for (const listener of this.#ends) listener()
    })
  }

  onBytes(listener: (bytes: Buffer) => void): void {
    this.#listeners.push(listener)
    for (const bytes of this.#early.splice(0)) listener(bytes)
  }

  onEnd(listener: () => void): void {
    this.#ends.push(listener)
    if (this.#ended) listener()
  }
}
