/** Errors in the form of RFC 6749, and the wrapper that answers with them. */
import { LoginError } from '../../authentication/login.js'
import { BusyError } from '../../authentication/passwords.js'
import { TokenError } from '../../authentication/tokens/jwt.js'
import { Reply } from '../../serving/route.js'

export type OAuthCode =
  | 'invalid_client'
  | 'invalid_request'
  | 'invalid_grant'
  | 'unsupported_grant_type'
  | 'unsupported_response_type'
  | 'login_required'
  | 'server_error'

export class OAuthError extends Error {
  override readonly name = 'OAuthError'

  constructor(
    readonly status: number,
    readonly code: OAuthCode,
    description = '',
    readonly headers: Record<string, string> = {},
  ) {
    super(description)
  }

  reply(): Reply {
    const body = { error: this.code, ...(this.message !== '' && { error_description: this.message }) }
    return json(this.status, body, this.headers)
  }
}

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Reply {
  const always = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers }
  return new Reply(status, always, JSON.stringify(value, null, 1))
}

/** What has gone wrong with a grant, as the client is to hear it. Other errors stay what they are. */
export function grantError(error: unknown): unknown {
  if (error instanceof TokenError) return new OAuthError(400, 'invalid_grant', error.message)
  if (error instanceof BusyError)
    return new OAuthError(503, 'server_error', error.message, { 'Retry-After': '1' })
  if (!(error instanceof LoginError)) return error
  switch (error.fault) {
    case 'incorrect':
    case 'inactive':
    case 'refused':
    case 'unmapped':
      return new OAuthError(400, 'invalid_grant', error.message)
    case 'limited':
      return new OAuthError(429, 'invalid_grant', error.message)
    case 'no-provider':
    case 'no-such-login':
    case 'unavailable':
      return new OAuthError(500, 'server_error', error.message)
  }
}

/** Runs a handler and answers its OAuthErrors. */
export async function answering(handle: () => Promise<unknown>): Promise<unknown> {
  try {
    return await handle()
  } catch (error) {
    const known = grantError(error)
    if (known instanceof OAuthError) return known.reply()
    throw known
  }
}

/** The fields of a form body, which routes get as raw bytes. */
export function formOf(body: unknown): URLSearchParams {
  if (body instanceof URLSearchParams) return body
  if (body instanceof Uint8Array) return new URLSearchParams(Buffer.from(body).toString('utf8'))
  return new URLSearchParams(typeof body === 'string' ? body : '')
}

export const FORM = 'application/x-www-form-urlencoded'
