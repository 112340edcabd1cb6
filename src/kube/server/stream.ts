/**
 * Sends large answers in pieces, no faster than the reader takes them, compressed where asked for.
 */
import { constants, createGzip } from 'node:zlib'
import { type Headers } from '../../client/transport.js'
import { acceptsGzip, GZIP_FROM_BYTES } from '../../serving/compression.js'
import { type Exchange } from './exchange.js'

const PIECE = 16 * 1024
/** Copying less than this is cheaper than passing it on alone. */
const LARGE = 1024

/** Settles when the reader can take more, or never if it leaves. */
class Readiness {
  #waiting: (() => void) | undefined

  constructor(private readonly exchange: Exchange) {
    exchange.onResume(() => this.#wake())
    exchange.onEnd(() => this.#wake())
  }

  #wake(): void {
    this.#waiting?.()
    this.#waiting = undefined
  }

  next(): Promise<void> {
    if (this.exchange.ended) return Promise.resolve()
    return new Promise((resolve) => (this.#waiting = resolve))
  }
}

/**
 * Answers 200 with the parts one after the other.
 *
 * @param size the length of all parts together
 */
export async function answerParts(
  exchange: Exchange,
  contentType: string,
  parts: readonly Buffer[],
  size: number,
): Promise<void> {
  const gzip = size >= GZIP_FROM_BYTES && acceptsGzip(exchange.header('accept-encoding'))
  const headers: Headers = { 'content-type': contentType }
  if (gzip) Object.assign(headers, { 'content-encoding': 'gzip', vary: 'Accept-Encoding' })
  else headers['content-length'] = String(size)
  exchange.head(200, headers)
  const ready = new Readiness(exchange)
  if (!gzip) {
    for (const piece of pieces(parts)) {
      if (exchange.ended) return
      if (!exchange.data(piece)) await ready.next()
    }
    exchange.end()
    return
  }
  const compressor = createGzip({ level: constants.Z_BEST_SPEED })
  exchange.onEnd(() => compressor.destroy())
  const feed = (async () => {
    for (const piece of pieces(parts)) {
      if (exchange.ended) return
      if (!compressor.write(piece)) await new Promise<void>((resolve) => compressor.once('drain', resolve))
    }
    compressor.end()
  })()
  try {
    for await (const piece of compressor) {
      if (!exchange.data(piece as Buffer)) await ready.next()
      if (exchange.ended) return
    }
    await feed
    exchange.end()
  } catch (error) {
    if (!exchange.ended) throw error
  }
}

/** Small parts joined to pieces of a reasonable size, large ones passed on uncopied. */
function* pieces(parts: readonly Buffer[]): Generator<Buffer> {
  let gathered: Buffer[] = []
  let size = 0
  for (const part of parts) {
    const large = part.length >= LARGE
    if (size > 0 && (large || size + part.length > PIECE)) {
      yield gathered.length === 1 ? (gathered[0] ?? part) : Buffer.concat(gathered, size)
      gathered = []
      size = 0
    }
    if (large) yield part
    else {
      gathered.push(part)
      size += part.length
    }
  }
  if (size > 0) yield Buffer.concat(gathered, size)
}
