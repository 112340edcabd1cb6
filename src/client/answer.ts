/** What an answer that is no success says, as the one error class. */
import { StatusError, type StatusReason } from '../apimachinery/errors/index.js'

/** For servers and proxies that answer without a Status. */
const REASONS: Readonly<Record<number, StatusReason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}
const TEXT_LIMIT = 200

export function errorOf(status: number, body: Buffer): StatusError {
  const text = body.toString()
  try {
    const parsed = JSON.parse(text) as { kind?: unknown } | null
    if (parsed?.kind === 'Status') return StatusError.fromStatus(parsed, status)
  } catch {
    // Not JSON: its words are all there is.
  }
  const message = text.trim().slice(0, TEXT_LIMIT) || `the server answered ${status}`
  return new StatusError({ code: status, reason: REASONS[status] ?? '', message })
}
