/** The request to the Kubernetes API that stands for a client's. */
import { type TransportRequest } from '../client/transport.js'
import { hasBody, openBody } from './body.js'
import { type Exchange } from './exchange.js'
import { requestHeaders } from './headers.js'

/** The same request with the server's own rights. Nothing that says who the client is goes along. */
export function upstreamRequest(exchange: Exchange): TransportRequest {
  const { request, upgrade } = exchange
  return {
    ...upstreamRequestWithout(exchange, exchange.search),
    ...(!upgrade && hasBody(request) && { body: bodyOf(exchange) }),
  }
}

/** The same, without the body, and with the headers that describe it left out. */
export function bodilessRequest(exchange: Exchange, search = exchange.search): TransportRequest {
  const request = upstreamRequestWithout(exchange, search)
  delete request.headers['content-length']
  delete request.headers['content-type']
  delete request.headers['content-encoding']
  return request
}

function upstreamRequestWithout(exchange: Exchange, search: string): TransportRequest {
  const { request, path, upgrade } = exchange
  const uri = search === '' ? path : `${path}?${search}`
  const via = { peer: request.socket.remoteAddress, uri, auditId: exchange.id }
  return {
    method: request.method ?? 'GET',
    path: uri,
    headers: requestHeaders(request.headers, via, upgrade !== undefined),
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
