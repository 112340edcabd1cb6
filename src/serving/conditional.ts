/**
 * Conditional requests (RFC 9110 §13.1.2): an answer that carries an entity tag is not sent again to who has it.
 *
 * The answer is made first, for this caller and now, so that nobody is told "not modified" of what they may not see any more.
 */
import { createHash } from 'node:crypto'
import { Reply } from './route.js'

/** A weak tag: two answers that carry it mean the same, packed or not. */
export function entityTag(parts: Iterable<string | Uint8Array>): string {
  const hash = createHash('sha1')
  for (const part of parts) hash.update(part)
  return `W/"${hash.digest('base64url')}"`
}

/** Kept by the client itself, and asked after each time. */
export const taggedHeaders = (tag: string): Record<string, string> => ({
  ETag: tag,
  'Cache-Control': 'no-cache, private',
})

/** Before compression, which is what answers vary by. @param known `If-None-Match` of a GET: tags, or `*` */
export function unlessKnown(reply: Reply, known: string | undefined): Reply {
  const tag = reply.headers['ETag']
  if (known === undefined || typeof tag !== 'string' || reply.status !== 200) return reply
  if (known.trim() !== '*' && !known.split(',').some((one) => opaque(one) === opaque(tag))) return reply
  return new Reply(304, taggedHeaders(tag))
}

/** The comparison is weak. */
const opaque = (tag: string): string => tag.trim().replace(/^W\//, '')
