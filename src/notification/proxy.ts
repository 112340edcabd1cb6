/** The way through an HTTP proxy: requests to it, or, for what is encrypted, a tunnel it makes. */
import { request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type Socket } from 'node:net'
import { connect, type ConnectionOptions } from 'node:tls'
import { type Destination } from '../integrations/egress.js'

export interface Proxy {
  url: URL
  /** Where it is, as it was checked. */
  at: Destination
}

/** @throws Error for a URL that is none of a proxy */
export function proxyUrl(text: string): URL {
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Error(`proxies of "${url.protocol.slice(0, -1)}" are not supported: use http or https`)
  return url
}

/** What makes a request one to the proxy. */
export function throughProxy({ url, at }: Proxy): RequestOptions {
  return {
    host: at.address,
    family: at.family,
    port: url.port || (url.protocol === 'https:' ? 443 : 80),
    ...(url.protocol === 'https:' && { servername: url.hostname }),
  }
}

export function proxyHeaders({ url: { username, password } }: Proxy): Record<string, string> {
  if (username === '') return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` }
}

/** A connection through the proxy, encrypted from end to end. @param host `name:port` */
export async function tunnel(
  proxy: Proxy,
  host: string,
  tls: ConnectionOptions,
  signal: AbortSignal,
): Promise<Socket> {
  const request = proxy.url.protocol === 'https:' ? httpsRequest : httpRequest
  const socket = await new Promise<Socket>((resolve, reject) => {
    request({
      ...throughProxy(proxy),
      method: 'CONNECT',
      path: host,
      headers: { host, ...proxyHeaders(proxy) },
      agent: false,
      signal,
    })
      .on('connect', (answer, connection) => {
        if (answer.statusCode === 200) return resolve(connection)
        connection.destroy()
        reject(new Error(`the proxy refuses: ${answer.statusCode}`))
      })
      .on('response', (answer) => {
        answer.destroy()
        reject(new Error(`the proxy refuses: ${answer.statusCode}`))
      })
      .on('error', reject)
      .end()
  })
  return new Promise((resolve, reject) => {
    const secure = connect({ ...tls, socket })
    const stopped = (): void => void secure.destroy(new Error('stopped'))
    signal.addEventListener('abort', stopped, { once: true })
    secure
      .once('secureConnect', () => {
        signal.removeEventListener('abort', stopped)
        resolve(secure)
      })
      .once('error', reject)
  })
}
