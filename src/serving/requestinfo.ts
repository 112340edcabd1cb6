/**
 * What the URL and method of a request mean.
 *
 * The URL forms are those of Kubernetes, widened by the prefixes `/kapis` and `/kapi`, by `clusters/{c}` right
 * after the prefix, and by `workspaces/{w}` and `devops/{d}` before the resource. Steps are numbered as in the
 * platform's contract, section "RequestInfo".
 */
import { type RequestInfo, type ResourceScope } from './requestinfo.types.js'

export interface RequestLine {
  method: string
  /** Decoded. */
  path: string
  query: URLSearchParams | undefined
  sourceIP: string
  userAgent: string
}

export interface RequestInfoOptions {
  /**
   * Gives platform-wide resources (users, global roles, workspaces, ...) the scope Global, so that only roles of
   * the platform count for them, as release 3.4 does. Default false: release 3.2 and its stock roles let a
   * workspace role grant its own workspace, which the scope Global takes away.
   */
  globalScope?: boolean
}

/** The path has a form that no server understands. */
export class RequestInfoError extends Error {
  override readonly name = 'RequestInfoError'
}

export const NO_INFO: RequestInfo = {
  path: '',
  verb: '',
  isResourceRequest: false,
  isKubernetesRequest: false,
  apiPrefix: '',
  apiGroup: '',
  apiVersion: '',
  cluster: '',
  workspace: '',
  namespace: '',
  devops: '',
  resource: '',
  subresource: '',
  name: '',
  parts: [],
  resourceScope: '',
  sourceIP: '',
  userAgent: '',
}

const PREFIXES = new Set(['api', 'apis', 'kapis', 'kapi'])
const GROUPLESS = new Set(['api', 'kapi'])
const KUBERNETES = new Set(['api', 'apis'])
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize'])
const VERB_PREFIXES = new Set(['proxy', 'watch'])
const VERBS: Record<string, string> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** `group/resource`, whatever the version. */
const GLOBAL = new Set([
  'iam.kubesphere.io/users',
  'iam.kubesphere.io/globalroles',
  'iam.kubesphere.io/globalrolebindings',
  'tenant.kubesphere.io/workspaces',
  'tenant.kubesphere.io/clusters',
  'cluster.kubesphere.io/clusters',
  'resources.kubesphere.io/clusters',
  'notification.kubesphere.io/configs',
  'notification.kubesphere.io/receivers',
  'notification.kubesphere.io/notificationmanagers',
  'notification.kubesphere.io/routers',
  'notification.kubesphere.io/silences',
])

/** Ours, and for administrators of the platform alone whatever the options say. */
export const EXPLAIN_GROUP = 'explain.orrery.io'

const WORKSPACE_SELECTOR = 'kubesphere.io/workspace='
const LABEL_VALUE = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/

/** @throws RequestInfoError when the path ends after `watch` or `proxy` */
export function parseRequestInfo(line: RequestLine, options: RequestInfoOptions = {}): RequestInfo {
  const { path, query, sourceIP, userAgent } = line
  const segments = segmentsOf(path) // 1
  const prefix = segments[0] ?? ''
  const base = { ...NO_INFO, path, verb: line.method, sourceIP, userAgent }
  if (segments.length < 3 || !PREFIXES.has(prefix)) {
    const isKubernetesRequest = segments.length > 0 && segments.length < 3 && KUBERNETES.has(prefix) // 14
    return { ...base, isKubernetesRequest }
  }

  let rest = segments.slice(1) // 2
  let cluster = ''
  if (rest[0] === 'clusters') {
    cluster = rest[1] ?? '' // 3
    if (rest.length > 2) rest = rest.slice(2)
  }
  const located = { ...base, apiPrefix: prefix, isKubernetesRequest: KUBERNETES.has(prefix), cluster }
  let apiGroup = ''
  if (!GROUPLESS.has(prefix)) {
    if (rest.length < 3) return located // 4
    apiGroup = rest[0] as string
    rest = rest.slice(1)
  }
  if (rest.length < 2) return located
  const apiVersion = rest[0] as string // 5
  rest = rest.slice(1)

  let verb = VERBS[line.method] ?? ''
  const verbPrefix = rest[0] as string
  if (VERB_PREFIXES.has(verbPrefix)) {
    if (rest.length < 2)
      throw new RequestInfoError(`unable to determine kind and namespace from url, ${path}`)
    verb = verbPrefix // 6
    rest = rest.slice(1)
  }

  let workspace = ''
  let namespace = ''
  let devops = ''
  if (rest[0] === 'workspaces' && rest.length > 1) {
    workspace = rest[1] as string // 7
    if (rest.length > 2) rest = rest.slice(2)
  }
  if (rest[0] === 'namespaces') {
    namespace = rest[1] ?? '' // 8
    if (rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(rest[2] as string)) rest = rest.slice(2)
  } else if (rest[0] === 'devops') {
    devops = rest[1] ?? ''
    if (rest.length > 2) rest = rest.slice(2)
  }

  const resource = rest[0] ?? '' // 9
  let name = rest[1] ?? ''
  const subresource = verb === 'proxy' ? '' : (rest[2] ?? '')

  let resourceScope: ResourceScope = 'Cluster' // 10
  if (isGlobal(apiGroup, resource, options)) resourceScope = 'Global'
  else if (namespace !== '') resourceScope = 'Namespace'
  else if (devops !== '') resourceScope = 'DevOps'
  else if (workspace !== '') resourceScope = 'Workspace'

  if (verb === 'get' && name === '') {
    verb = isWatch(query) ? 'watch' : 'list' // 11
    // Only the Kubernetes API keeps to it; elsewhere a list would pass for one object.
    if (located.isKubernetesRequest) name = selectedName(query?.get('fieldSelector'))
  }
  if (verb === 'watch' && located.isKubernetesRequest && subresource === '') {
    const selected = selectedWorkspace(query?.get('labelSelector')) // 12
    if (selected !== '') {
      workspace = selected
      resourceScope = 'Workspace'
    }
  }
  if (verb === 'delete' && name === '') verb = 'deletecollection' // 13

  return {
    ...located,
    isResourceRequest: true,
    verb,
    apiGroup,
    apiVersion,
    workspace,
    namespace,
    devops,
    resource,
    subresource,
    name,
    parts: rest,
    resourceScope,
  }
}

function segmentsOf(path: string): string[] {
  let from = 0
  let to = path.length
  while (from < to && path[from] === '/') from++
  while (to > from && path[to - 1] === '/') to--
  return from === to ? [] : path.slice(from, to).split('/')
}

function isGlobal(group: string, resource: string, options: RequestInfoOptions): boolean {
  if (group === EXPLAIN_GROUP) return true
  return options.globalScope === true && GLOBAL.has(`${group}/${resource}`)
}

/** As the Kubernetes API reads a flag: there, and neither `false` nor `0`. The first of several counts. */
function isWatch(query: URLSearchParams | undefined): boolean {
  const value = query?.get('watch')
  return typeof value === 'string' && !/^(?:false|0)$/i.test(value)
}

/** The name that `metadata.name=X` among the terms of a field selector asks for, if it can be one. */
function selectedName(selector: string | null | undefined): string {
  if (!selector) return ''
  for (const term of selector.split(',')) {
    const name = /^metadata\.name==?([^=].*)$/.exec(term)?.[1]
    if (name !== undefined && !/[/%\\]/.test(name) && name !== '.' && name !== '..') return name
  }
  return ''
}

/**
 * The workspace of a watch on everything labelled with it. Only a selector of exactly this one requirement
 * counts, and only for the Kubernetes API, which applies it: otherwise a member of one workspace could name it
 * here and read another. (The original takes any text that starts so.)
 */
function selectedWorkspace(selector: string | null | undefined): string {
  if (!selector?.startsWith(WORKSPACE_SELECTOR)) return ''
  const value = selector.slice(WORKSPACE_SELECTOR.length)
  return LABEL_VALUE.test(value) ? value : ''
}
