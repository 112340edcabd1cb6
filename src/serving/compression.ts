/**
 * Large answers compressed for clients that ask for it, outside the event loop. The sizes are those of the Kubernetes
 * API: smaller answers cost more to compress than to send.
 */
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import { Reply } from './route.js'

/** Together. */
export const GZIP_FROM_BYTES = 128 * 1024

const compress = promisify(gzip)

/** @param header `Accept-Encoding` */
export function acceptsGzip(header: string | undefined): boolean {
  for (const offer of header?.split(',') ?? []) {
    const [coding = '', ...parameters] = offer.toLowerCase().split(';')
    if (coding.trim() !== 'gzip') continue
    const weight = parameters.map((text) => text.trim()).find((text) => text.startsWith('q='))
    return weight === undefined || Number(weight.slice(2)) > 0
  }
  return false
}

/** @returns undefined when the answer is sent as it is */
export function compressed(
  { status, headers, body }: Reply,
  accepted: string | undefined,
): Promise<Reply> | undefined {
  if (status !== 200 || !acceptsGzip(accepted) || 'Content-Encoding' in headers) return undefined
  const parts = typeof body === 'string' || body instanceof Uint8Array ? [body] : body
  let size = 0
  for (const part of parts) size += part.length
  if (size < GZIP_FROM_BYTES) return undefined
  const whole = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  return compress(whole, { level: constants.Z_BEST_SPEED }).then(
    (packed) =>
      new Reply(status, { ...headers, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' }, packed),
  )
}
