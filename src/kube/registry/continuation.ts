/**
 * `continue` tokens: base64url of `{"v":"meta.k8s.io/v1","rv":N,"start":"lastname\u0000"}`.
 *
 * `start` is relative to the listed prefix. A revision of -1 means "whatever is newest": such tokens are
 * handed out when the snapshot of the first page is gone.
 */
import { badRequest } from '../../apimachinery/errors/index.js'

const VERSION = 'meta.k8s.io/v1'

export interface Continuation {
  revision: number
  /** Relative to the listed prefix. */
  start: string
}

export function encodeContinue(continuation: Continuation): string {
  const { revision, start } = continuation
  return Buffer.from(JSON.stringify({ v: VERSION, rv: revision, start })).toString('base64url')
}

/** The token that goes on behind `lastKey`. */
export function continueAfter(lastKey: string, prefix: string, revision: number): string {
  return encodeContinue({ revision, start: `${lastKey.slice(prefix.length)}\u0000` })
}

/** @throws StatusError 400 */
export function decodeContinue(token: string): Continuation {
  const fail = (why: string): Error => badRequest(`invalid continue token: continue key is not valid: ${why}`)
  const bare = token.replace(/=+$/, '')
  const wrong = bare.search(/[^A-Za-z0-9_-]/)
  if (wrong >= 0 || bare.length % 4 === 1) {
    throw fail(`illegal base64 data at input byte ${wrong >= 0 ? wrong : bare.length - 1}`)
  }
  const bytes = Buffer.from(bare, 'base64url')
  let content: { v?: unknown; rv?: unknown; start?: unknown }
  try {
    content = JSON.parse(bytes.toString()) as typeof content
  } catch {
    throw fail(
      bytes.length === 0
        ? 'unexpected end of JSON input'
        : `invalid character '${String.fromCharCode(bytes[0] ?? 0)}' looking for beginning of value`,
    )
  }
  const { v, rv, start } = content ?? {}
  if (v !== VERSION) throw fail(`server does not recognize this encoded version "${String(v)}"`)
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0) {
    throw fail('incorrect encoded start resourceVersion 0 (version meta.k8s.io/v1)')
  }
  if (typeof start !== 'string' || start === '')
    throw fail('encoded start key empty (version meta.k8s.io/v1)')
  if (start.split('/').includes('..') || start.startsWith('/')) throw fail(start)
  return { revision: rv, start }
}
