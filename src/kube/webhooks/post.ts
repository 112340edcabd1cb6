/** One call of a webhook over HTTPS, whatever it is asked. */
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { type ClientConfig, type Endpoint } from './endpoint.js'

const ANSWER_LIMIT = 16 * 1024 * 1024

/**
 * Posts JSON to a webhook.
 *
 * @returns the body of a good answer
 * @throws Error that says what went wrong, with the URL
 */
export function post(
  { url, dial }: Endpoint,
  { caBundle }: Pick<ClientConfig, 'caBundle'>,
  body: string,
  seconds: number,
  left: AbortSignal | undefined,
): Promise<string> {
  const timeout = AbortSignal.timeout(seconds * 1000)
  const signal = left ? AbortSignal.any([timeout, left]) : timeout
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      const why = timeout.aborted ? 'context deadline exceeded' : error.message
      reject(new Error(`Post ${JSON.stringify(url.href)}: ${why}`, { cause: error }))
    }
    const request = httpsRequest(
      {
        method: 'POST',
        host: dial.host,
        port: dial.port,
        path: url.pathname + url.search,
        // A name in the certificate is checked; of an address there is none to send.
        ...(isIP(dial.serverName) === 0 && { servername: dial.serverName }),
        ...(caBundle && { ca: Buffer.from(caBundle, 'base64') }),
        headers: {
          host: url.host,
          'content-type': 'application/json',
          accept: 'application/json',
          'content-length': Buffer.byteLength(body),
        },
        agent: false,
        signal,
      },
      (response) => {
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > ANSWER_LIMIT) response.destroy(new Error('the answer is too large'))
          else chunks.push(chunk)
        })
        response.on('error', fail)
        response.on('end', () => {
          const { statusCode = 0 } = response
          const text = Buffer.concat(chunks).toString()
          if (statusCode >= 200 && statusCode < 300) resolve(text)
          else fail(new Error(text.slice(0, 256) || `the server answered ${statusCode}`))
        })
      },
    )
    request.on('error', fail)
    request.end(body)
  })
}
