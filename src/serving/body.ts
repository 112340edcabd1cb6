/** Reads a request body whole, within bounds of size and time. */
import { badRequest, StatusError, tooLarge, unsupportedMediaType } from '../apimachinery/errors/index.js'
import { isTextTooDeep } from '../apimachinery/json/depth.js'
import { type Exchange } from './exchange.js'
import { syntaxError } from './jsonsyntax.js'

export interface BodyLimits {
  limitBytes: number
  timeoutMs: number
}

export const BODY_LIMITS: BodyLimits = { limitBytes: 3 * 1024 * 1024, timeoutMs: 30_000 }

export function hasBody({ headers }: Exchange['request']): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

/** Tells a client that waits for it (`Expect: 100-continue`) to send its body now. */
export function openBody({ request, response }: Exchange): void {
  if (request.headers.expect?.toLowerCase() === '100-continue' && !response.headersSent)
    response.writeContinue()
}

/** @throws StatusError 413, 415 for an encoded body, 408 when it takes too long, 400 when it breaks off */
export function readBody(exchange: Exchange, { limitBytes, timeoutMs }: BodyLimits): Promise<Buffer> {
  const { request } = exchange
  if (!hasBody(request) || exchange.upgrade) return Promise.resolve(Buffer.alloc(0))
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return Promise.reject(unsupportedMediaType(`Content-Encoding ${encoding} is not supported`))
  }
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) return Promise.reject(tooLarge(limitBytes))
  openBody(exchange)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const stop = (error: Error): void => {
      finish()
      request.pause()
      reject(error)
    }
    const timer = setTimeout(() => stop(slow(timeoutMs)), timeoutMs)
    const onData = (chunk: Buffer): void => {
      size += chunk.byteLength
      if (size > limitBytes) stop(tooLarge(limitBytes))
      else {
        exchange.tapRequest?.(chunk)
        chunks.push(chunk)
      }
    }
    const onEnd = (): void => {
      finish()
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size))
    }
    const onBroken = (): void => stop(badRequest('the request body broke off'))
    const finish = (): void => {
      clearTimeout(timer)
      request.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken)
      // A late error of the socket has no other listener.
      request.on('error', () => undefined)
    }
    request.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken)
  })
}

function slow(timeoutMs: number): StatusError {
  return new StatusError({
    code: 408,
    reason: 'Timeout',
    message: `the request body did not arrive within ${timeoutMs / 1000} s`,
  })
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** @throws StatusError 400, saying what is wrong in the words of the original */
export function parseJson(bytes: Uint8Array): unknown {
  if (isTextTooDeep(bytes)) throw badRequest('the body is nested too deep')
  let text: string
  try {
    text = UTF8.decode(bytes)
  } catch (error) {
    throw badRequest('the body is not valid UTF-8', { cause: error })
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw badRequest(syntaxError(text), { cause: error })
  }
}
