/** Which headers may pass a proxy, and which are its own business. */
import { type IncomingHttpHeaders } from 'node:http'
import { type Headers } from '../client/transport.js'

/** RFC 9110, section 7.6.1, and those that proxies have sent in its place. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * What only this server may say to the Kubernetes API: who it is, and for whom. Upstream takes these headers
 * from it on trust, so nothing of the kind may come from a client.
 */
const CREDENTIALS = /^(?:authorization|impersonate-|x-remote-|x-kubesphere-)/

const CROSS_ORIGIN = /^access-control-allow-(?:credentials|headers|methods|origin)$/
const BEARER_PROTOCOL = /^base64url\.bearer\.authorization\.k8s\.io\./i

const NONE: ReadonlySet<string> = new Set()

/** Names in `Connection` concern this connection alone. */
function named(connection: string | string[] | undefined): ReadonlySet<string> {
  if (connection === undefined) return NONE
  const text = Array.isArray(connection) ? connection.join(',') : connection
  return new Set(text.split(',').map((name) => name.trim().toLowerCase()))
}

export interface Via {
  peer: string | undefined
  uri: string
  auditId: string
}

export function requestHeaders(received: IncomingHttpHeaders, via: Via, upgrade: boolean): Headers {
  const dropped = named(received.connection)
  const headers: Headers = {}
  for (const name in received) {
    if (HOP_BY_HOP.has(name) || dropped.has(name) || CREDENTIALS.test(name)) continue
    headers[name] = received[name]
  }
  delete headers['host']
  delete headers['expect']
  if (upgrade) {
    headers['connection'] = 'Upgrade'
    headers['upgrade'] = received.upgrade
    const protocols = received['sec-websocket-protocol']
    if (protocols !== undefined) headers['sec-websocket-protocol'] = withoutBearer(protocols)
  }
  headers['x-forwarded-uri'] = via.uri
  if (received.host !== undefined) headers['x-forwarded-host'] = received.host
  const forwarded = [received['x-forwarded-for'], via.peer].flat().filter((address) => address)
  if (forwarded.length > 0) headers['x-forwarded-for'] = forwarded.join(', ')
  headers['audit-id'] = via.auditId
  return headers
}

/** Browsers cannot set headers on a WebSocket, so some send a token as a protocol. */
function withoutBearer(protocols: string): string | undefined {
  const kept = protocols.split(',').map((p) => p.trim())
  return kept.filter((p) => p !== '' && !BEARER_PROTOCOL.test(p)).join(', ') || undefined
}

export function responseHeaders(received: Headers, upgrade = false): Record<string, string | string[]> {
  const dropped = named(received['connection'])
  const headers: Record<string, string | string[]> = {}
  for (const name in received) {
    const value = received[name]
    if (value === undefined || name === 'audit-id' || CROSS_ORIGIN.test(name)) continue
    const kept = upgrade && (name === 'upgrade' || name === 'connection')
    if (!kept && (HOP_BY_HOP.has(name) || dropped.has(name))) continue
    headers[name] = value
  }
  return headers
}
