/** Fetches what a client has named: from outside, within bounds, and every redirect is looked at like the first address. */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { type Egress } from '../../integrations/egress.js'

const TIMEOUT_MS = 10_000
const LONGEST_BYTES = 4 * 1024 * 1024
const MOST_REDIRECTS = 5

/** Says why there is no content, for the client to read. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError'
}

export interface DownloadLimits {
  timeoutMs?: number
  longestBytes?: number
}

/** @throws DownloadError, or the signal's reason */
export async function download(
  address: string,
  egress: Egress,
  client: AbortSignal,
  { timeoutMs = TIMEOUT_MS, longestBytes = LONGEST_BYTES }: DownloadLimits = {},
): Promise<string> {
  const signal = AbortSignal.any([client, AbortSignal.timeout(timeoutMs)])
  try {
    let url = new URL(address)
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const answer = await fetchOnce(url, egress, longestBytes, signal)
      if (typeof answer === 'string') return answer
      url = answer
    }
    throw new Error('too many redirects')
  } catch (error) {
    client.throwIfAborted()
    const why = signal.aborted ? `no answer within ${timeoutMs} ms` : (error as Error).message
    throw new DownloadError(`${address} cannot be fetched: ${why}`, { cause: error })
  }
}

/** @returns the content, or where else it is */
async function fetchOnce(
  url: URL,
  egress: Egress,
  longestBytes: number,
  signal: AbortSignal,
): Promise<string | URL> {
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Error(`unsupported protocol scheme "${url.protocol.slice(0, -1)}"`)
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  const { address, family } = await egress.resolve(url.hostname, true)
  signal.throwIfAborted()
  const isSecure = url.protocol === 'https:'
  return new Promise((resolve, reject) => {
    const request = (isSecure ? httpsRequest : httpRequest)(
      {
        // The address that was checked; a second look-up might find another.
        host: address,
        family,
        port: url.port || (isSecure ? 443 : 80),
        path: url.pathname + url.search,
        headers: { host: url.host, accept: 'application/json', 'user-agent': 'orrery' },
        ...(isSecure && { servername: isIP(hostname) === 0 ? hostname : '' }),
        agent: false,
        signal,
      },
      (response) => {
        const { statusCode = 0, headers } = response
        const chunks: Buffer[] = []
        let bytes = 0
        if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
          response.destroy()
          if (!URL.canParse(headers.location, url.href)) return reject(new Error('it redirects to nowhere'))
          return resolve(new URL(headers.location, url))
        }
        if (statusCode !== 200) {
          response.destroy()
          return reject(new Error(`it answers ${statusCode}`))
        }
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes <= longestBytes) chunks.push(chunk)
          else response.destroy(new Error(`it is longer than ${longestBytes} bytes`))
        })
        response.on('error', reject)
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
      },
    )
    request.on('error', reject)
    request.end()
  })
}
