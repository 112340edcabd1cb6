/**
 * Passes requests for `/api` and `/apis` on to the Kubernetes API, with the server's own credentials.
 *
 * Bytes go through as they come: nothing is buffered, the slower side sets the pace, watch events are written
 * at once, and a client that leaves frees the upstream.
 */
import { noSuchResource, unavailable } from '../../apimachinery/errors/index.js'
import { type Dispatched, type Headers, type Transport } from '../../client/transport.js'
import { send } from '../answer.js'
import { type Exchange, type Filter, type Step } from '../exchange.js'
import { responseHeaders } from '../headers.js'
import { type Logger } from '../log.js'
import { mediaType } from '../mediatypes.js'
import { PassedAnswer } from '../passedanswer.js'
import { type Rewriter, type Rewriting } from '../rewriting.js'
import { tunnel } from '../tunnel.js'
import { answering } from '../unreachable.js'
import { upstreamRequest } from '../upstreamrequest.js'

export interface KubernetesProxyOptions {
  upstream: Transport
  /** For explain: `https://10.0.0.1:6443`, `embedded`. */
  upstreamName: string
  logger: Logger
}

export function kubernetesProxy({ upstream, upstreamName, logger }: KubernetesProxyOptions): Filter {
  return {
    name: 'kubernetes proxy',
    handle(exchange, next) {
      if (!exchange.info.isKubernetesRequest) return next()
      if (namesCluster(exchange)) throw noSuchResource()
      return answering(exchange, logger, () =>
        exchange.upgrade ? forwardUpgrade(exchange, upstream) : forward(exchange, upstream),
      )
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

/**
 * Resolves when the answer is through, or has begun and has no end of its own.
 *
 * @throws what the transport says when there is no answer at all
 */
function forward(exchange: Exchange, upstream: Transport): Promise<void> {
  const { response, rewriting } = exchange
  let rewriter: Rewriter | undefined
  exchange.longRunning = exchange.info.verb === 'watch' || isFollowed(exchange)
  return new Promise((resolve, reject) => {
    let over = false
    let begun = false
    // Set late: a transport in this process may answer before `dispatch` returns.
    let dispatched: Dispatched | undefined = undefined as Dispatched | undefined
    // An exchange that is aborted already calls back before there is anything to forget.
    let forget = undefined as (() => void) | undefined
    const answer = new PassedAnswer(response, () => dispatched?.resume())
    const finish = (): void => {
      over = true
      forget?.()
    }
    const abort = (): void => {
      if (over) return
      dispatched?.abort()
      // A shutdown ends a watch in good order, so that its client knows where to go on.
      if (begun && exchange.longRunning) answer.end()
      else answer.destroy()
      finish()
      resolve()
    }
    forget = exchange.onAbort(abort)
    const failed = (error: Error): void => {
      if (over) return
      finish()
      if (!begun) return reject(error)
      answer.destroy()
      resolve()
    }
    /** @returns false when the client cannot take more */
    const pass = (out: () => Buffer | undefined): boolean => {
      try {
        const bytes = out()
        return bytes === undefined || answer.write(bytes)
      } catch (error) {
        dispatched?.abort()
        failed(error as Error)
        return true
      }
    }
    const request = upstreamRequest(exchange)
    if (rewriting) Object.assign(request.headers, { accept: rewriting.accept, 'accept-encoding': 'identity' })
    dispatched = upstream.dispatch(request, {
      borrows: true,
      head(status, headers) {
        if (over) return
        const rewritten = rewriting && status < 300 ? rewriting : undefined
        if (rewritten && mediaType(String(headers['content-type'])) !== 'application/json') {
          dispatched?.abort()
          return failed(
            new Error(`an answer of type ${String(headers['content-type'])} cannot be looked into`),
          )
        }
        begun = true
        rewriter = rewritten?.begin()
        const { longRunning, answerIsCopied } = exchange
        answer.begin(status, headersOf(headers, rewritten), {
          isLookedAt: answerIsCopied,
          isLongRunning: longRunning,
        })
        if (!longRunning) return
        forgetHeaders(exchange)
        resolve()
      },
      data(piece, isLent) {
        if (over) return true
        return rewriter ? pass(() => rewriter?.push(Buffer.from(piece))) : answer.write(piece, isLent)
      },
      end() {
        if (over) return
        if (rewriter) pass(() => rewriter?.end())
        if (over) return
        answer.end()
        finish()
        resolve()
      },
      fail: failed,
    })
    if (over) dispatched.abort()
  })
}

/** Nobody asks for them once a watch has begun, and thousands of watches would keep them, tokens included. */
function forgetHeaders({ request }: Exchange): void {
  request.rawHeaders = []
  request.headers = {}
}

function headersOf(received: Headers, rewriting: Rewriting | undefined): Record<string, string | string[]> {
  const headers = responseHeaders(received)
  if (rewriting === undefined) return headers
  delete headers['content-length']
  if (rewriting.contentType !== undefined) headers['content-type'] = rewriting.contentType
  return headers
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
