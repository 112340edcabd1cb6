/**
 * The one place where the text of a request target becomes a path.
 *
 * Everything after it (rules, router, upstream) sees the same decoded text, or an encoding of exactly that
 * text, so a request cannot be authorized as one path and served as another. An escaped slash is a slash, as
 * it is for the Kubernetes API. Empty and dot segments never pass: the client is sent to the cleaned path.
 */
import { badRequest } from '../apimachinery/errors/index.js'

export interface Target {
  /** Decoded. */
  path: string
  /** The same, percent-encoded in one way. */
  encoded: string
  /** Without `?`. */
  search: string
  /** Set when the path was not clean: where the client has to go instead, with query. */
  redirect?: string
}

const SIMPLE = /^(?:\/[A-Za-z0-9_~:@$&+,=-][A-Za-z0-9._~:@$&+,=-]*)*\/?$/
const BEYOND_ASCII = /[\u0080-\u00ff]/g
/** `;` separates parameters for some servers and not for others: escaped, it has one meaning for all. */
const AMBIGUOUS = /[;#\u0080-\u00ff]/g
const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i

/**
 * @param url the request target as received
 * @throws StatusError 400 for what is no path: bad escapes, invalid UTF-8, control characters, backslashes
 */
export function parseTarget(url: string): Target {
  const question = url.indexOf('?')
  const search = question < 0 ? '' : url.slice(question + 1).replace(AMBIGUOUS, escapeByte)
  const raw = question < 0 ? url : url.slice(0, question)
  if (raw !== '' && SIMPLE.test(raw)) return { path: raw, encoded: raw, search }
  const path = decode(raw.replace(ABSOLUTE_FORM, '') || '/')
  if (!path.startsWith('/')) throw badRequest('the request target must be an absolute path')
  const clean = cleaned(path)
  const encoded = encodePath(clean)
  if (clean === path) return { path, encoded, search }
  return { path, encoded, search, redirect: search === '' ? encoded : `${encoded}?${search}` }
}

function escapeByte(character: string): string {
  return '%' + character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()
}

function decode(raw: string): string {
  let path: string
  try {
    // node hands over bytes beyond ASCII as latin1.
    path = decodeURIComponent(raw.replace(BEYOND_ASCII, escapeByte))
  } catch (error) {
    throw badRequest('the path holds an invalid escape or invalid UTF-8', { cause: error })
  }
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\u0000-\u001f\u007f]/.test(path)) throw badRequest('the path holds a control character')
  // Some servers take it for a slash, and no name has one.
  if (path.includes('\\')) throw badRequest('the path holds a backslash')
  return path
}

/** Resolves `.` and `..`, joins doubled slashes, keeps one slash at the end. */
function cleaned(path: string): string {
  if (!/\/(?:\/|\.{1,2}(?:\/|$))/.test(path)) return path
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment === '..') kept.pop()
    else kept.push(segment)
  }
  const joined = '/' + kept.join('/')
  return joined !== '/' && path.endsWith('/') ? joined + '/' : joined
}

/** The form in which paths are routed and forwarded: escapes all but unreserved characters and `$&+,:;=@/`. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeSegment).join('/')
}

function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(/%(?:24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent)
}
