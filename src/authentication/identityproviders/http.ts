/**
 * HTTP to a provider: limited in time and size, no redirects followed, with the trust its options ask for.
 */
import { request as plainRequest } from 'node:http'
import { type IncomingMessage } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { nonsense, ProviderError, unreachable } from './interface.js'
import { type Trust } from './tls.js'

const TIMEOUT_MS = 10_000
const LIMIT_BYTES = 1024 * 1024

export interface ProviderRequest {
  method?: 'GET' | 'POST'
  headers?: Readonly<Record<string, string>>
  /** Sent as a form. */
  form?: URLSearchParams
}

export interface ProviderResponse {
  status: number
  contentType: string
  text: string
}

export type ProviderHttp = (
  url: string,
  request: ProviderRequest,
  signal: AbortSignal,
) => Promise<ProviderResponse>

/** @returns a function that throws ProviderError, or the signal's reason */
export function providerHttp({ rejectUnauthorized, ca }: Trust): ProviderHttp {
  const trust = { rejectUnauthorized, ...(ca !== undefined && { ca }) }
  return async (url, { method = 'GET', headers = {}, form }, signal) => {
    const body = form?.toString()
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
    const all: Record<string, string | number> = { accept: 'application/json', ...headers }
    if (body !== undefined) {
      all['content-type'] = 'application/x-www-form-urlencoded'
      all['content-length'] = Buffer.byteLength(body)
    }
    try {
      return await new Promise<ProviderResponse>((resolve, reject) => {
        const target = new URL(url)
        const options = { method, headers: all, signal: limit }
        const take = (response: IncomingMessage): void => void collect(response).then(resolve, reject)
        const outgoing =
          target.protocol === 'https:'
            ? tlsRequest(target, { ...options, ...trust, agent: false }, take)
            : plainRequest(target, { ...options, agent: false }, take)
        outgoing.on('error', reject)
        outgoing.end(body)
      })
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw error instanceof ProviderError ? error : unreachable(error)
    }
  }
}

async function collect(response: IncomingMessage): Promise<ProviderResponse> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > LIMIT_BYTES) throw nonsense(`an answer of more than ${LIMIT_BYTES} bytes`)
    chunks.push(chunk)
  }
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers['content-type'] ?? '',
    text: Buffer.concat(chunks).toString('utf8'),
  }
}

/** @throws ProviderError unless the answer is 200 with a JSON object */
export function jsonObject({ status, text }: ProviderResponse, of: string): Record<string, unknown> {
  if (status !== 200) throw nonsense(`${of} answered ${status}`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ProviderError('unavailable', nonsense('').message, { cause: error })
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw nonsense(`${of} answered something else than a JSON object`)
  return value as Record<string, unknown>
}

/** A claim that is a text or a number, as text; "" when it is neither. */
export function claim(claims: Readonly<Record<string, unknown>>, key: string): string {
  const value = claims[key]
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : ''
  return typeof value === 'string' ? value : ''
}
