/**
 * Errors as answers: the four forms that groups use, and the plain internal error of the filters.
 *
 * What is not a StatusError is nobody's business outside: it is logged with its cause and answered 500.
 */
import { StatusError } from '../apimachinery/errors/index.js'
import { escapeHtml, sendJson, sendPlainError } from './answer.js'
import { type Exchange } from './exchange.js'
import { type Logger } from './log.js'
import { sendStatus } from './negotiation.js'
import { type ErrorForm } from './route.js'

export const INTERNAL_TEXT = 'Internal server error'

/** Answers with the error in the given form, or breaks the connection when the answer has begun. */
export function sendError(exchange: Exchange, error: unknown, form: ErrorForm, logger: Logger): void {
  const { request, response } = exchange
  if (exchange.isAborted && !(error instanceof StatusError)) {
    // The client has left; whatever failed, failed because of that.
    response.destroy()
    return
  }
  if (!(error instanceof StatusError)) {
    logger.error(
      { err: error, requestId: exchange.id, method: request.method, path: exchange.path },
      'request failed',
    )
  }
  if (response.headersSent) {
    response.destroy()
    return
  }
  // The connection cannot be used again while the rest of a body is on its way.
  if (error instanceof StatusError && (error.code === 413 || error.code === 408)) {
    response.setHeader('Connection', 'close')
  }
  if (!(error instanceof StatusError)) {
    if (form === 'text') return sendPlainError(response, 500, INTERNAL_TEXT)
    error = new StatusError({ code: 500, reason: 'InternalError', message: INTERNAL_TEXT })
  }
  const visible = error as StatusError
  switch (form) {
    case 'text':
      return sendPlainError(response, visible.code, escapeHtml(visible.message) + '\n')
    case 'message':
      return sendJson(response, visible.code, { message: visible.message })
    case 'oauth':
      return sendJson(response, visible.code, {
        error: oauthCode(visible.code),
        error_description: visible.message,
      })
    case 'status':
      return sendStatus(request, response, visible)
  }
}

/** RFC 6749, sections 4.1.2.1 and 5.2. */
function oauthCode(status: number): string {
  if (status === 401) return 'invalid_client'
  if (status === 403) return 'access_denied'
  if (status === 503) return 'temporarily_unavailable'
  return status < 500 ? 'invalid_request' : 'server_error'
}

/** The filters' own failure: 500 with the target and one line of what was attempted, no internals. */
export function sendInternalText(exchange: Exchange, message: string): void {
  const text = `Internal Server Error: "${exchange.request.url ?? ''}": ${message}`
  sendPlainError(exchange.response, 500, escapeHtml(text) + '\n')
}
