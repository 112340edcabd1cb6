/**
 * Finds the declared route of a request, checks what it is given, runs it and writes its answer.
 *
 * The group with the longest matching root is chosen first and there is no way back to a shorter one; within
 * it literal segments win over parameters. Texts and codes of refusals are those that clients of the original
 * know (go-restful's), the same for every group.
 */
import FindMyWay from 'find-my-way'
import { badRequest } from '../apimachinery/errors/index.js'
import { type UserInfo } from '../apimachinery/meta/types.js'
import { send, sendJson, sendPageNotFound, sendReply, sendText } from './answer.js'
import { type BodyLimits, BODY_LIMITS, hasBody, parseJson, readBody } from './body.js'
import { compressed } from './compression.js'
import { unlessKnown } from './conditional.js'
import { sendError } from './errors.js'
import { type Exchange } from './exchange.js'
import { type Logger } from './log.js'
import { accepts, isJson, mediaType } from './mediatypes.js'
import { type RequestInfo } from './requestinfo.types.js'
import {
  ANSWERED,
  type ApiGroup,
  type ErrorForm,
  type HttpMethod,
  Reply,
  type Route,
  type RouteContext,
} from './route.js'
import { bodyCheck, type Check, queryCheck } from './validation.js'

const NOT_FOUND = '404: Page Not Found'
const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPES = ['application/json']
/** In this order in `Allow`. */
const METHODS: readonly HttpMethod[] = ['POST', 'DELETE', 'PATCH', 'PUT', 'GET']
const BODY_METHODS = new Set(['POST', 'PUT', 'PATCH'])
/** Path parameters that the authorizer has judged by what RequestInfo calls the same. */
const LOCATIONS = ['workspace', 'namespace', 'devops'] as const

/** A route ready to run. */
interface Mounted {
  group: ApiGroup
  route: Route
  errors: ErrorForm
  produces: readonly string[]
  checkQuery?: Check<URLSearchParams>
  checkBody?: Check<unknown>
  /** Name of the parameter that takes the rest of the path. */
  tail?: string
}

/**
 * What a handler is given. A class, since a getter in an object literal makes V8 invent a hidden class for each request, which
 * holds the request until the next full collection: half of what all requests allocated.
 */
class Context implements RouteContext<Record<string, string>, unknown> {
  readonly user: UserInfo
  readonly info: RequestInfo
  readonly headers: Exchange['request']['headers']
  readonly client: Exchange

  constructor(
    readonly exchange: Exchange,
    readonly params: Record<string, string>,
    readonly query: URLSearchParams,
    readonly body: unknown,
  ) {
    this.user = exchange.user
    this.info = exchange.info
    this.headers = exchange.request.headers
    this.client = exchange
  }

  /** Made when asked for; most handlers wait for nothing. */
  get signal(): AbortSignal {
    return this.exchange.signal
  }
}

interface Found {
  mounted: Mounted
  params: Record<string, string>
}

export interface RouterOptions {
  groups: readonly ApiGroup[]
  logger: Logger
  limits?: BodyLimits
}

export interface Router {
  handle(exchange: Exchange): Promise<void>
  /** Which route would serve it. */
  match(exchange: Pick<Exchange, 'path' | 'request'>): { group: ApiGroup; route: Route } | undefined
}

type Table = FindMyWay.Instance<FindMyWay.HTTPVersion.V1>

/** @throws Error when two routes collide or a path cannot be read */
export function createRouter({ groups, logger, limits = BODY_LIMITS }: RouterOptions): Router {
  const tables = mount(groups)
  const longest = Math.max(0, ...[...tables.keys()].map((root) => root.length))

  /** The table of the longest root that the path lies below. */
  function tableOf(path: string): Table | undefined {
    for (let end = path.length; end >= 0; end = end === 0 ? -1 : path.lastIndexOf('/', end - 1)) {
      if (end > longest) continue
      const table = tables.get(path.slice(0, end))
      if (table) return table
    }
    return undefined
  }

  function find(table: Table, method: HttpMethod, path: string): Found | undefined {
    const found = table.find(method, path)
    if (!found) return undefined
    const mounted = found.store as Mounted
    const params = found.params as Record<string, string>
    if (mounted.tail === undefined) return { mounted, params }
    const { '*': rest = '', ...others } = params
    return rest === '' ? undefined : { mounted, params: { ...others, [mounted.tail]: rest } }
  }

  async function run({ mounted, params }: Found, exchange: Exchange): Promise<void> {
    const { route } = mounted
    const { request, response } = exchange
    const query = new URLSearchParams(exchange.search)
    mounted.checkQuery?.(query)
    const limitBytes = route.bodyLimitBytes ?? limits.limitBytes
    const bytes =
      BODY_METHODS.has(route.method) || hasBody(request)
        ? await readBody(exchange, { ...limits, limitBytes })
        : undefined
    const body = decodeBody(mounted, bytes, request.headers['content-type'])
    const answer = await route.handle(new Context(exchange, params, query, body) as never)
    if (answer === ANSWERED) return
    if (answer instanceof Reply) {
      const reply = route.method === 'GET' ? unlessKnown(answer, request.headers['if-none-match']) : answer
      const smaller = compressed(reply, request.headers['accept-encoding'])
      // Most answers are sent at once.
      sendReply(response, smaller === undefined ? reply : await smaller)
    } else if (answer === undefined) send(response, 200, {}, '')
    else sendJson(response, 200, answer)
  }

  return {
    async handle(exchange) {
      const { request, response, path } = exchange
      const table = tableOf(path)
      const found = table && find(table, request.method as HttpMethod, path)
      if (!found) {
        const allowed = table ? METHODS.filter((method) => find(table, method, path)) : []
        if (allowed.length === 0) {
          if (insideRoot(path)) return sendText(response, 404, NOT_FOUND)
          return sendPageNotFound(response)
        }
        response.setHeader('Allow', allowed.join(', '))
        return sendText(response, 405, '405: Method Not Allowed')
      }
      const { mounted } = found
      try {
        const refusal = refuse(mounted, exchange)
        if (refusal) return sendText(response, refusal.status, refusal.text)
        checkLocation(found.params, exchange.info)
        await run(found, exchange)
      } catch (error) {
        sendError(exchange, error, mounted.errors, logger)
      }
    },
    match({ path, request }) {
      const table = tableOf(path)
      const found = table && find(table, request.method as HttpMethod, path)
      return found && { group: found.mounted.group, route: found.mounted.route }
    },
  }
}

function mount(groups: readonly ApiGroup[]): Map<string, Table> {
  const tables = new Map<string, Table>()
  for (const group of groups) {
    const root = group.root.replace(/\/+$/, '')
    let table = tables.get(root)
    if (!table) {
      table = FindMyWay({ ignoreTrailingSlash: true, maxParamLength: 4096 })
      tables.set(root, table)
    }
    for (const route of group.routes) {
      const { pattern, tail } = patternOf(root + (route.path === '/' ? '' : route.path))
      const mounted: Mounted = {
        group,
        route,
        errors: route.errors ?? group.errors,
        produces: route.produces ?? JSON_TYPES,
        ...(tail !== undefined && { tail }),
        ...(route.query && { checkQuery: queryCheck(route.query) }),
        ...(route.body && { checkBody: bodyCheck(route.body) }),
      }
      table.on(route.method, pattern, () => undefined, mounted)
    }
  }
  return tables
}

/** `/a/{b}/{c:*}` in the words of find-my-way. A parameter is a whole segment. */
function patternOf(path: string): { pattern: string; tail?: string } {
  let tail: string | undefined
  const segments = path.split('/').map((segment, index, all) => {
    const parameter = /^\{([A-Za-z_][A-Za-z0-9_-]*)(:\*)?\}$/.exec(segment)
    if (!parameter) {
      if (/[{}*]/.test(segment)) throw new Error(`route ${path}: a parameter must be a whole segment`)
      return segment.replaceAll(':', '::')
    }
    if (parameter[2] === undefined) return `:${parameter[1]}`
    if (index !== all.length - 1) throw new Error(`route ${path}: {name:*} must come last`)
    tail = parameter[1]
    return '*'
  })
  return { pattern: segments.join('/') || '/', ...(tail !== undefined && { tail }) }
}

/** Below these a path is unknown to a group, elsewhere to the whole server; clients see different texts. */
function insideRoot(path: string): boolean {
  return path.startsWith('/kapis/') || path.startsWith('/oauth/')
}

/** What go-restful answers before a handler runs. */
function refuse(
  mounted: Mounted,
  { request, upgrade }: Exchange,
): { status: number; text: string } | undefined {
  const { route, produces } = mounted
  const notAcceptable = (types: readonly string[]): { status: number; text: string } => ({
    status: 406,
    text: `406: Not Acceptable\n\nAvailable representations: ${types.join(', ')}`,
  })
  if (upgrade && route.upgrades !== true) return { status: 400, text: '400: Bad Request' }
  if (route.consumes && BODY_METHODS.has(route.method)) {
    const type = mediaType(request.headers['content-type']) || 'application/octet-stream'
    if (!route.consumes.includes(type) && !route.consumes.includes('*/*')) {
      return hasBody(request) ? { status: 415, text: '415: Unsupported Media Type' } : notAcceptable([])
    }
  }
  if (!upgrade && !accepts(request.headers.accept, produces)) return notAcceptable(produces)
  return undefined
}

/**
 * The authorizer judged the workspace, namespace or project that RequestInfo found; a handler must not act on
 * another one because the route reads the path differently.
 */
function checkLocation(params: Record<string, string>, info: RequestInfo): void {
  for (const key of LOCATIONS) {
    const served = params[key]
    if (served !== undefined && info[key] !== '' && info[key] !== served) {
      throw badRequest(`the request names two different locations: ${key} "${served}" and "${info[key]}"`)
    }
  }
}

/** Raw without a schema; otherwise JSON or a form, checked. */
function decodeBody({ route, checkBody }: Mounted, bytes: Buffer | undefined, type = ''): unknown {
  if (!bytes || !checkBody) return bytes
  let value: unknown
  if (isJson(type)) value = parseJson(bytes)
  else if (!route.consumes) throw badRequest(`[ServiceError:400] Unable to unmarshal content of type:${type}`)
  else if (mediaType(type) === FORM) value = Object.fromEntries(new URLSearchParams(bytes.toString()))
  else return bytes
  checkBody(value)
  return value
}
