/**
 * What the method and URL of a request mean, as kube-apiserver reads them.
 *
 * The path is decoded first and split afterwards, so `%2F` separates. Everything below `/api/VERSION` and
 * `/apis/GROUP/VERSION` with at least one more part is a resource request.
 */
import { badRequest } from '../../apimachinery/errors/index.js'
import { parseFieldSelector } from '../../apimachinery/fields/index.js'

export interface KubeRequestInfo {
  /** Decoded. */
  path: string
  /** Kubernetes verb; for other paths the method in lower case. */
  verb: string
  resourceRequest: boolean
  apiPrefix: string
  apiGroup: string
  apiVersion: string
  namespace: string
  resource: string
  subresource: string
  /** The object named in the path, or the only one a selector can match. */
  name: string
  /** The object named in the path. */
  pathName: string
  /** What follows the subresource (`proxy/a/b`). */
  rest: readonly string[]
}

const VERBS: Record<string, string> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** `namespaces/x/status` is about the namespace, `namespaces/x/pods` about pods in it. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize'])

/** Absent is false; `false` and `0` are false; anything else, the empty text too, is true. */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name)
  return value !== null && value !== '0' && value.toLowerCase() !== 'false'
}

/** The name a field selector pins down. */
function selectedName(query: URLSearchParams): string {
  const selector = query.get('fieldSelector')
  if (!selector) return ''
  try {
    return parseFieldSelector(selector).exact('metadata.name') ?? ''
  } catch {
    return '' // The handler refuses it, for those who may ask.
  }
}

/** @throws StatusError 400 for a path that is no valid percent-encoding */
export function requestInfo(method: string, pathname: string, query: URLSearchParams): KubeRequestInfo {
  let path: string
  try {
    path = pathname.includes('%') ? decodeURIComponent(pathname) : pathname
  } catch {
    throw badRequest('the path is not valid percent-encoding')
  }
  const info: KubeRequestInfo = {
    path,
    verb: method.toLowerCase(),
    resourceRequest: false,
    apiPrefix: '',
    apiGroup: '',
    apiVersion: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    pathName: '',
    rest: [],
  }
  const parts = path.split('/').filter((part) => part !== '')
  const [prefix] = parts
  if (prefix !== 'api' && prefix !== 'apis') return info
  const grouped = prefix === 'apis' ? 1 : 0
  if (parts.length < 3 + grouped) return info

  info.resourceRequest = true
  info.apiPrefix = prefix
  info.apiGroup = grouped ? (parts[1] ?? '') : ''
  info.apiVersion = parts[1 + grouped] ?? ''
  info.verb = VERBS[method] ?? ''
  let rest = parts.slice(2 + grouped)
  if (rest[0] === 'watch' && rest.length > 1) {
    info.verb = 'watch'
    rest = rest.slice(1)
  }
  if (rest[0] === 'namespaces' && rest.length > 1) {
    info.namespace = rest[1] ?? ''
    if (rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(rest[2] ?? '')) rest = rest.slice(2)
  }
  info.resource = rest[0] ?? ''
  info.name = info.pathName = rest[1] ?? ''
  info.subresource = rest[2] ?? ''
  info.rest = rest.slice(3)

  if (info.name === '' && info.verb === 'get') info.verb = flag(query, 'watch') ? 'watch' : 'list'
  if (info.name === '' && info.verb === 'delete') info.verb = 'deletecollection'
  if (info.name === '' && (info.verb === 'list' || info.verb === 'watch')) info.name = selectedName(query)
  return info
}
