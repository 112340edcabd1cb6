/**
 * Bodies as audit events may hold them: that a password was set is of interest, the password is not.
 *
 * Secrets are told by the names that objects, requests and patches have for them, wherever they stand.
 */
import { isObject, setOwn, type JsonObject } from '../apimachinery/json/index.js'

export const REDACTED = '(not kept)'

const NAMES =
  /^(?:(?:current|new|old)?password|secret|(?:access_?|refresh_?|id_?|bearer)?token|client_?secret|kubeconfig|kubesphere\.io\/private-key|kubectl\.kubernetes\.io\/last-applied-configuration)$/i
/** All values of these are secret, in Secrets. */
const SECRET_MAPS = new Set(['data', 'stringData'])

/** No object of an API is nested so deeply; what is would not fit on the stack. */
const DEEPEST = 200

/** A copy of a parsed body. @param resource plural, of the request */
export function withoutSecrets(value: unknown, resource: string): unknown {
  return copy(value, resource === 'secrets', DEEPEST)
}

function copy(value: unknown, isSecret: boolean, depth: number): unknown {
  if (value === null || typeof value !== 'object') return value
  if (depth === 0) return REDACTED
  if (Array.isArray(value)) return value.map((item) => copy(item, isSecret, depth - 1))
  if (!isObject(value)) return value
  const secret = isSecret || value['kind'] === 'Secret'
  const result: JsonObject = {}
  for (const [key, inner] of Object.entries(value)) {
    if (NAMES.test(key) || (secret && SECRET_MAPS.has(key))) setOwn(result, key, hidden(inner))
    else setOwn(result, key, copy(inner, secret, depth - 1))
  }
  return isOperation(result) && namesSecret(result['path'], secret)
    ? { ...result, ...('value' in result && { value: hidden(result['value']) }) }
    : result
}

/** Which keys there are may be told. */
function hidden(value: unknown): unknown {
  if (!isObject(value)) return value === null || value === '' ? value : REDACTED
  return Object.fromEntries(Object.keys(value).map((key) => [key, REDACTED]))
}

/** One of a JSON patch. */
function isOperation(value: JsonObject): value is JsonObject & { path: string } {
  return typeof value['op'] === 'string' && typeof value['path'] === 'string'
}

function namesSecret(path: string, isSecret: boolean): boolean {
  const parts = path.split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  return parts.some((part) => NAMES.test(part) || (isSecret && SECRET_MAPS.has(part)))
}
