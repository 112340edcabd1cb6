/** Writes answers: text, JSON, and the complete `Reply` of a route. Every answer of this server goes through here. */
import { type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import { atEndOfTurn } from '../client/turn.js'
import { type Reply } from './route.js'

export const PLAIN = 'text/plain; charset=utf-8'

const HTML_ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** Only `& < >`, as the original does to every message it sends. */
export function escapeHtml(text: string): string {
  return /[&<>]/.test(text) ? text.replace(/[&<>]/g, (c) => HTML_ENTITIES[c] as string) : text
}

export function send(
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body: string | Uint8Array,
): void {
  if (response.headersSent || response.destroyed) return
  const bodiless = status === 204 || status === 304 || status < 200
  response.writeHead(status, bodiless ? headers : { ...headers, 'Content-Length': Buffer.byteLength(body) })
  atEndOfTurn(() => response.end(bodiless ? undefined : body))
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  send(response, status, { 'Content-Type': PLAIN }, text)
}

/** Text that may hold parts of the request: browsers must not guess its type. */
export function sendPlainError(response: ServerResponse, status: number, text: string): void {
  send(response, status, { 'Content-Type': PLAIN, 'X-Content-Type-Options': 'nosniff' }, text)
}

/** The answer for a path below no root. */
export function sendPageNotFound(response: ServerResponse): void {
  sendPlainError(response, 404, '404 page not found\n')
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, { 'Content-Type': 'application/json' }, JSON.stringify(value))
}

export function sendReply(response: ServerResponse, reply: Reply): void {
  const { status, headers, body } = reply
  if (typeof body === 'string' || body instanceof Uint8Array) return send(response, status, headers, body)
  if (response.headersSent || response.destroyed) return
  let length = 0
  for (const part of body) length += part.byteLength
  response.writeHead(status, { ...headers, 'Content-Length': length })
  atEndOfTurn(() => {
    response.cork()
    for (const part of body) response.write(part)
    response.end()
    response.uncork()
  })
}

/** Text of unknown origin as part of one line. */
export function sanitizeLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is replaced
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, 500)
}
