/**
 * Bodies as audit events may hold them: that a password was set is of interest, the password is not.
 *
 * Secrets are told by the names that objects, requests and patches have for them, wherever they stand.
 */
import { isObject, setOwn, type JsonObject } from '../apimachinery/json/index.js'

export const REDACTED = '(not kept)'

const NAMES =
  /(?:passw(?:or)?d|secret|token|credentials?|(?:secret|access|private|api|app)_?key|key_?data)$|^(?:kubeconfig|kubesphere\.io\/private-key|kubectl\.kubernetes\.io\/last-applied-configuration)$/i
/** All values of these are secret, in Secrets. */
const SECRET_MAPS = new Set(['data', 'stringData'])
/** Requests for these have Secrets in their bodies, which need not say so. */
const SECRET_RESOURCES = new Set(['secrets', 'registrysecrets', 'credentials'])

/** No object of an API is nested so deeply; what is would not fit on the stack. */
const DEEPEST = 200

/**
 * Only what holds a secret is copied: most bodies hold none.
 *
 * @param value parsed body of a request for a resource, by its plural name; it stays as it is
 */
export function withoutSecrets(
  value: unknown,
  { resource, subresource }: { resource: string; subresource: string },
): unknown {
  return redacted(value, SECRET_RESOURCES.has(resource) || SECRET_RESOURCES.has(subresource), DEEPEST)
}

/** Servers quote a body that they cannot read in the message that says so. */
const QUOTED = /\{.*\}/s

function redacted(value: unknown, isSecret: boolean, depth: number): unknown {
  if (value === null || typeof value !== 'object') return value
  if (depth === 0) return REDACTED
  if (Array.isArray(value)) {
    const items = value.map((item) => redacted(item, isSecret, depth - 1))
    return items.some((item, i) => item !== value[i]) ? items : value
  }
  if (!isObject(value)) return value
  const secret = isSecret || value['kind'] === 'Secret'
  const isStatus = value['kind'] === 'Status'
  const isNamedSecret =
    isCredential(value) || (typeof value['name'] === 'string' && NAMES.test(value['name']))
  let result = value
  const set = (key: string, replaced: unknown): void => {
    if (replaced === value[key]) return
    if (result === value) result = { ...value }
    setOwn(result, key, replaced)
  }
  for (const key of Object.keys(value)) {
    const inner = value[key]
    const isHidden = NAMES.test(key) || (isNamedSecret && key === 'value') || (secret && SECRET_MAPS.has(key))
    if (isStatus && key === 'message' && typeof inner === 'string') set(key, inner.replace(QUOTED, REDACTED))
    else if (isHidden) set(key, hidden(inner))
    else if (inner !== null && typeof inner === 'object') set(key, redacted(inner, secret, depth - 1))
  }
  return isOperation(result) && namesSecret(result['path'], secret)
    ? { ...result, ...('value' in result && { value: hidden(result['value']) }) }
    : result
}

/** Given in place, or by the name of a Secret. */
function isCredential(value: JsonObject): boolean {
  return 'value' in value && Object.keys(value).every((key) => key === 'value' || key === 'valueFrom')
}

/** Which keys there are may be told, and what is too short to be a secret. */
function hidden(value: unknown): unknown {
  if (!isObject(value)) return value === null || value === '' || typeof value === 'boolean' ? value : REDACTED
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
