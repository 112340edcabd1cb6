/**
 * Passes requests for `/api` and `/apis` on to the Kubernetes API, with the server's own credentials.
 *
 * Bytes go through as they come: nothing is buffered, the slower side sets the pace, watch events are written
 * at once, and a client that leaves frees the upstream.
 */
import { noSuchResource, StatusError, unavailable } from '../../apimachinery/errors/index.js'
import { type Dispatched, type Transport, type TransportRequest } from '../../client/transport.js'
import { send } from '../answer.js'
import { hasBody, openBody } from '../body.js'
import { type Exchange, type Filter, type Step } from '../exchange.js'
import { requestHeaders, responseHeaders } from '../headers.js'
import { type Logger } from '../log.js'
import { tunnel } from '../tunnel.js'

export interface KubernetesProxyOptions {
  upstream: Transport
  /** For explain: `https://10.0.0.1:6443`, `embedded`. */
  upstreamName: string
  logger: Logger
}

export function kubernetesProxy({ upstream, upstreamName, logger }: KubernetesProxyOptions): Filter {
  return {
    name: 'kubernetes proxy',
    async handle(exchange, next) {
      if (!exchange.info.isKubernetesRequest) return next()
      if (namesCluster(exchange)) throw noSuchResource()
      try {
        if (exchange.upgrade) await forwardUpgrade(exchange, upstream)
        else await forward(exchange, upstream)
      } catch (error) {
        if (error instanceof StatusError) throw error
        if (exchange.signal.aborted) {
          exchange.response.destroy()
          return
        }
        logger.warn({ err: error, requestId: exchange.id, path: exchange.path }, 'kubernetes api unreachable')
        throw unavailable('the Kubernetes API cannot be reached', { cause: error })
      }
    },
    async explain(exchange): Promise<Step> {
      if (!exchange.info.isKubernetesRequest) {
        return { outcome: 'continues', summary: 'not a request for the Kubernetes API' }
      }
      if (namesCluster(exchange)) {
        return { outcome: 'answers', summary: '404: the cluster prefix is not known here' }
      }
      return {
        outcome: 'answers',
        summary: `forwarded to the Kubernetes API (${upstreamName}): ${exchange.path}`,
        detail: { upstream: upstreamName, path: exchange.path },
      }
    },
  }
}

/** The prefix is still there: no dispatcher took it away, and upstream would read it as a group. */
function namesCluster({ info, path }: Exchange): boolean {
  return info.cluster !== '' && /^\/apis?\/clusters\//.test(path)
}

function upstreamRequest(exchange: Exchange): TransportRequest {
  const { request, path, search, upgrade } = exchange
  const uri = search === '' ? path : `${path}?${search}`
  const via = { peer: request.socket.remoteAddress, uri, auditId: exchange.id }
  return {
    method: request.method ?? 'GET',
    path: uri,
    headers: requestHeaders(request.headers, via, upgrade !== undefined),
    ...(!upgrade && hasBody(request) && { body: bodyOf(exchange) }),
  }
}

async function* bodyOf(exchange: Exchange): AsyncIterable<Uint8Array> {
  openBody(exchange)
  // An upstream that has answered may stop reading; the connection must live on for its answer.
  const chunks = exchange.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>
  for await (const chunk of chunks) {
    exchange.tapRequest?.(chunk)
    yield chunk
  }
}

/** Resolves when the answer is through. @throws what the transport says when there is no answer at all */
function forward(exchange: Exchange, upstream: Transport): Promise<void> {
  const { response, signal } = exchange
  exchange.longRunning = exchange.info.verb === 'watch' || isFollowed(exchange)
  return new Promise((resolve, reject) => {
    let over = false
    let begun = false
    // Set late: a transport in this process may answer before `dispatch` returns.
    let dispatched: Dispatched | undefined = undefined as Dispatched | undefined
    const finish = (): void => {
      over = true
      signal.removeEventListener('abort', abort)
      response.off('drain', resume)
    }
    const abort = (): void => {
      if (over) return
      dispatched?.abort()
      // A shutdown ends a watch in good order, so that its client knows where to go on.
      if (begun && exchange.longRunning) response.end()
      else response.destroy()
      finish()
      resolve()
    }
    const resume = (): void => dispatched?.resume()
    response.on('drain', resume)
    signal.addEventListener('abort', abort, { once: true })
    dispatched = upstream.dispatch(upstreamRequest(exchange), {
      head(status, headers) {
        if (over) return
        begun = true
        response.writeHead(status, responseHeaders(headers))
        // A watch may have nothing to say for long; its client waits for the head.
        process.nextTick(() => {
          if (!over) response.flushHeaders()
        })
      },
      data: (chunk) => over || response.write(chunk),
      end() {
        if (over) return
        response.end()
        finish()
        resolve()
      },
      fail(error) {
        if (over) return
        finish()
        if (!begun) return reject(error)
        response.destroy()
        resolve()
      },
    })
    if (over) dispatched.abort()
  })
}

function isFollowed({ info, search }: Exchange): boolean {
  return info.subresource === 'log' && /(?:^|&)follow=(?:true|1)/.test(search)
}

async function forwardUpgrade(exchange: Exchange, upstream: Transport): Promise<void> {
  const answer = await upstream.upgrade(upstreamRequest(exchange), exchange.signal)
  if (answer.status === 101 && answer.socket) {
    exchange.longRunning = true
    tunnel(exchange, answer.socket, responseHeaders(answer.headers, true))
    return
  }
  answer.socket?.destroy()
  if (answer.status < 200) throw unavailable('the Kubernetes API gave no proper answer to the upgrade')
  const headers = responseHeaders(answer.headers)
  delete headers['content-length']
  send(exchange.response, answer.status, headers, answer.body ?? '')
}
