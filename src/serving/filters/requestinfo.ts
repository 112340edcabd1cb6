/**
 * Reads what the request means from its target and headers, once, for all filters after it.
 *
 * Sends clients with an unclean path to the clean one before anybody has judged the path.
 */
import { type IncomingMessage } from 'node:http'
import { send } from '../answer.js'
import { sendInternalText } from '../errors.js'
import { type Exchange, type Filter } from '../exchange.js'
import { parseTarget } from '../path.js'
import { parseRequestInfo, RequestInfoError, type RequestInfoOptions } from '../requestinfo.js'

export function requestInfo(options: RequestInfoOptions = {}): Filter {
  /** @returns where the client has to go instead */
  function read(exchange: Exchange): string | undefined {
    const { request } = exchange
    restoreHopHeaders(request)
    const target = parseTarget(request.url ?? '/')
    exchange.path = target.encoded
    exchange.search = restoreQuery(request, target.search)
    if (target.redirect !== undefined) return target.redirect
    exchange.info = parseRequestInfo(
      {
        method: request.method ?? 'GET',
        path: target.path,
        query: exchange.search === '' ? undefined : new URLSearchParams(exchange.search),
        sourceIP: sourceIP(request),
        userAgent: request.headers['user-agent'] ?? '',
      },
      options,
    )
    return undefined
  }

  return {
    name: 'request info',
    handle(exchange, next) {
      let location: string | undefined
      try {
        location = read(exchange)
      } catch (error) {
        if (!(error instanceof RequestInfoError)) throw error
        // The spelling is the original's.
        sendInternalText(exchange, `failed to crate RequestInfo: ${error.message}`)
        return Promise.resolve()
      }
      if (location === undefined) return next()
      const headers = { 'Content-Type': 'text/html; charset=utf-8', Location: location }
      // Only escaped characters are left in the location.
      send(
        exchange.response,
        301,
        headers,
        `<a href="${location.replaceAll('&', '&amp;')}">Moved Permanently</a>.\n\n`,
      )
      return Promise.resolve()
    },
    async explain(exchange) {
      try {
        const location = read(exchange)
        if (location !== undefined) return { outcome: 'answers', summary: `301 to ${location}` }
      } catch (error) {
        if (error instanceof RequestInfoError) return { outcome: 'answers', summary: `500: ${error.message}` }
        throw error
      }
      const { verb, isResourceRequest, path, resource, name, resourceScope } = exchange.info
      const summary = isResourceRequest
        ? `${verb} ${resource}${name === '' ? '' : ` "${name}"`}, scope ${resourceScope}`
        : `${verb} path ${path}, no resource`
      return { outcome: 'continues', summary, detail: exchange.info }
    },
  }
}

/** What a host cluster packed up because a proxy on the way would have taken it for its own. */
function restoreHopHeaders({ headers }: IncomingMessage): void {
  const packed = headers['x-kubesphere-authorization']
  if (typeof packed === 'string' && packed !== '' && !headers.authorization) headers.authorization = packed
  if (packed !== undefined) delete headers['x-kubesphere-authorization']
}

function restoreQuery({ headers }: IncomingMessage, search: string): string {
  const packed = headers['x-kubesphere-rawquery']
  delete headers['x-kubesphere-rawquery']
  if (search === '' && typeof packed === 'string') return parseTarget(`/?${packed}`).search
  return /(?:^|&)dryrun(?:=|&|$)/.test(search) ? search.replace('dryrun', 'dryRun') : search
}

/** The console passes its client's address in `x-client-ip`. The whole value counts, as in the original. */
function sourceIP({ headers, socket }: IncomingMessage): string {
  const given = headers['x-client-ip'] || headers['x-real-ip'] || headers['x-forwarded-for']
  const address = (Array.isArray(given) ? given[0] : given) || socket.remoteAddress || ''
  return address === '::1' ? '127.0.0.1' : address.replace(/^::ffff:(?=\d)/, '')
}
