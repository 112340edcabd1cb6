/**
 * Calls a Kubernetes API: typed per resource, or raw.
 *
 * Every failure is a StatusError: what the server said, 503 when it cannot be reached, 504 when it does not
 * answer in time. Only the caller's own abort comes back as the reason it gave. A 429 is waited out and
 * tried again, since the server has then done nothing.
 */
import { badRequest, StatusError, timeout, unavailable } from '../apimachinery/errors/index.js'
import {
  apiVersionOf,
  type GroupVersionResource,
  type KubeList,
  type KubeObject,
  type UserInfo,
} from '../apimachinery/meta/types.js'
import { errorOf } from './answer.js'
import { LineSplitter } from './cache/lines.js'
import { receive } from './cache/receive.js'
import { decodeWatchEvent, type WatchEventType } from './cache/watchevent.js'
import { pause, systemClock, type Clock } from './clock.js'
import {
  send,
  type BufferedResponse,
  type Headers,
  type Transport,
  type TransportRequest,
} from './transport.js'

export interface RestClientOptions {
  transport: Transport
  /** Who asks, where the transport is in process. */
  user?: UserInfo
  userAgent?: string
  /** Of one request; watches are not limited. */
  timeoutMs?: number
  clock?: Clock
}

export interface CallOptions {
  timeoutMs?: number
  signal?: AbortSignal
}

export interface RawOptions extends CallOptions {
  query?: Query
  headers?: Headers
  body?: Uint8Array
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** The resource, and what has to be in a body when the caller left it out. */
export interface ResourceType extends GroupVersionResource {
  kind?: string
}

export const PATCH_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const

export type PatchType = keyof typeof PATCH_TYPES

export interface ListCallOptions extends CallOptions {
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  resourceVersion?: string
}

export interface WriteCallOptions extends CallOptions {
  namespace?: string
  dryRun?: boolean
  fieldManager?: string
  /** `status`, `scale`, ... */
  subresource?: string
}

export interface DeleteCallOptions extends CallOptions {
  namespace?: string
  dryRun?: boolean
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  gracePeriodSeconds?: number
  /** Delete only this very object, or this very version of it. */
  preconditions?: { uid?: string; resourceVersion?: string }
}

export interface WatchCallOptions extends Omit<ListCallOptions, 'timeoutMs' | 'signal'> {
  allowBookmarks?: boolean
  timeoutSeconds?: number
}

const PAGE = 500
const TRIES = 4
const WAIT_LIMIT_MS = 10_000

export class RestClient {
  readonly #options: RestClientOptions
  readonly #clock: Clock

  constructor(options: RestClientOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  resource<T extends KubeObject = KubeObject>(type: ResourceType): ResourceClient<T> {
    return new ResourceClient<T>(this, type)
  }

  /** @returns the answer to a request that succeeded. @throws StatusError for any other */
  async raw(method: string, path: string, options: RawOptions = {}): Promise<BufferedResponse> {
    const request = this.request(method, path, options)
    for (let tries = 1; ; tries++) {
      const answer = await this.#send(request, options)
      if (answer.status >= 200 && answer.status <= 299) return answer
      const waitMs = tries < TRIES ? waitOf(answer) : undefined
      if (waitMs === undefined) throw errorOf(answer.status, answer.body)
      await pause(this.#clock, waitMs, options.signal ?? NEVER)
      options.signal?.throwIfAborted()
    }
  }

  /** The parsed body of a request that succeeded. */
  async json<T>(method: string, path: string, options: RawOptions = {}): Promise<T> {
    const { status, body } = await this.raw(method, path, options)
    try {
      return JSON.parse(body.toString()) as T
    } catch (error) {
      throw new StatusError(
        { code: 502, reason: '', message: `the Kubernetes API answered ${status} with no JSON` },
        { cause: error },
      )
    }
  }

  /**
   * Streams a 200 to `onChunk`, without a time limit.
   * @throws StatusError, what `onChunk` threw, the signal's reason
   */
  stream(path: string, query: Query, onChunk: (chunk: Buffer) => void, signal: AbortSignal): Promise<void> {
    return receive(this.#options.transport, this.request('GET', path, { query }), onChunk, signal)
  }

  request(method: string, path: string, { query, headers, body }: RawOptions): TransportRequest {
    const { user, userAgent = 'orrery' } = this.#options
    return {
      method,
      path: path + searchOf(query, path.includes('?') ? '&' : '?'),
      headers: { accept: 'application/json', 'user-agent': userAgent, ...headers },
      ...(body !== undefined && { body }),
      ...(user !== undefined && { user }),
    }
  }

  async #send(request: TransportRequest, { signal, timeoutMs }: CallOptions): Promise<BufferedResponse> {
    const limitMs = timeoutMs ?? this.#options.timeoutMs ?? 30_000
    const limit = new AbortController()
    const onAbort = (): void => limit.abort(signal?.reason)
    if (signal?.aborted) throw signal.reason
    signal?.addEventListener('abort', onAbort, { once: true })
    const timer = this.#clock.setTimeout(() => limit.abort(), limitMs)
    try {
      return await send(this.#options.transport, request, limit.signal)
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      if (limit.signal.aborted) throw timeout(`the Kubernetes API did not answer within ${limitMs} ms`)
      throw unavailable(`the Kubernetes API cannot be reached: ${(error as Error).message}`, { cause: error })
    } finally {
      this.#clock.clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }
}

/** Requests about one resource. Without a namespace: of all, or cluster-scoped. */
export class ResourceClient<T extends KubeObject> {
  readonly #client: RestClient
  readonly #type: ResourceType

  constructor(client: RestClient, type: ResourceType) {
    this.#client = client
    this.#type = type
  }

  get(name: string, { namespace, ...call }: CallOptions & { namespace?: string } = {}): Promise<T> {
    return this.#client.json('GET', this.path(namespace, name), call)
  }

  /** One page, or all when no limit is given. */
  list(options: ListCallOptions & { limit?: number; continue?: string } = {}): Promise<KubeList<T>> {
    const { namespace, timeoutMs, signal, ...query } = options
    return this.#client.json('GET', this.path(namespace), { query, ...callOf({ timeoutMs, signal }) })
  }

  /**
   * Everything, page by page.
   * @throws StatusError 410 when the snapshot expired in the middle
   */
  async *pages(options: ListCallOptions & { limit?: number } = {}): AsyncGenerator<T[], void> {
    let token: string | undefined
    do {
      // Later pages are of the first one's snapshot, and must not name a version again.
      const { resourceVersion, ...rest } = options
      const page = await this.list({
        ...rest,
        limit: options.limit ?? PAGE,
        ...(token !== undefined ? { continue: token } : resourceVersion !== undefined && { resourceVersion }),
      })
      yield page.items
      token = page.metadata.continue
    } while (token)
  }

  create(object: T, options: WriteCallOptions = {}): Promise<T> {
    const namespace = options.namespace ?? object.metadata.namespace
    const name = options.subresource === undefined ? undefined : (object.metadata.name ?? '')
    return this.#write('POST', this.path(namespace, name, options.subresource), this.#typed(object), options)
  }

  /** Replaces the object; its `resourceVersion` makes that fail when it has changed since. */
  update(object: T, options: WriteCallOptions = {}): Promise<T> {
    const namespace = options.namespace ?? object.metadata.namespace
    const path = this.path(namespace, object.metadata.name ?? '', options.subresource)
    return this.#write('PUT', path, this.#typed(object), options)
  }

  /** @param patch an array for a JSON patch, an object for all others */
  patch(
    name: string,
    type: PatchType,
    patch: unknown,
    options: WriteCallOptions & { force?: boolean } = {},
  ): Promise<T> {
    const path = this.path(options.namespace, name, options.subresource)
    return this.#write('PATCH', path, patch, options, PATCH_TYPES[type], { force: options.force })
  }

  /** @returns the object while it lingers, else the Status of the deletion */
  delete(name: string, options: DeleteCallOptions = {}): Promise<KubeObject> {
    return this.#delete(this.path(options.namespace, name), {}, options)
  }

  deleteCollection(options: DeleteCallOptions & ListCallOptions = {}): Promise<KubeObject> {
    const { labelSelector, fieldSelector } = options
    return this.#delete(this.path(options.namespace), { labelSelector, fieldSelector }, options)
  }

  /**
   * Settles when the server ends the watch.
   * @throws StatusError the server's, also when it comes as an event; the signal's reason
   */
  watch(
    { namespace, allowBookmarks, ...query }: WatchCallOptions,
    onEvent: (type: Exclude<WatchEventType, 'ERROR'>, object: T) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const lines = new LineSplitter((line) => {
      const { type, object } = decodeWatchEvent(line)
      if (type === 'ERROR') throw StatusError.fromStatus(object)
      onEvent(type, object as T)
    })
    return this.#client.stream(
      this.path(namespace),
      { ...query, watch: 1, allowWatchBookmarks: allowBookmarks },
      (chunk) => lines.push(chunk),
      signal,
    )
  }

  /** @throws TypeError for a name that would lead elsewhere */
  path(namespace?: string, name?: string, subresource?: string): string {
    const { group, version, resource } = this.#type
    let path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    if (namespace !== undefined && namespace !== '') path += `/namespaces/${segment(namespace)}`
    path += `/${resource}`
    if (name !== undefined) path += `/${segment(name)}`
    if (subresource !== undefined) path += `/${subresource}`
    return path
  }

  /** Async, so that every refusal is a rejection. */
  async #write(
    method: string,
    path: string,
    body: unknown,
    { dryRun, fieldManager, timeoutMs, signal }: WriteCallOptions,
    contentType = 'application/json',
    more: Query = {},
  ): Promise<T> {
    demandVersion(body)
    return this.#client.json<T>(method, path, {
      ...callOf({ timeoutMs, signal }),
      query: { dryRun: dryRun ? 'All' : undefined, fieldManager, ...more },
      headers: { 'content-type': contentType },
      body: Buffer.from(JSON.stringify(body)),
    })
  }

  #delete(
    path: string,
    query: Query,
    { propagationPolicy, gracePeriodSeconds, preconditions, dryRun, timeoutMs, signal }: DeleteCallOptions,
  ): Promise<KubeObject> {
    const options = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy,
      gracePeriodSeconds,
      preconditions,
      dryRun: dryRun ? ['All'] : undefined,
    }
    return this.#client.json('DELETE', path, {
      ...callOf({ timeoutMs, signal }),
      query,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(options)),
    })
  }

  /** Custom resources are not read without kind and apiVersion, and cached objects come without. */
  #typed(object: T): KubeObject {
    const { kind } = this.#type
    if (object.kind !== undefined && object.apiVersion !== undefined) return object
    return { ...(kind !== undefined && { kind }), apiVersion: apiVersionOf(this.#type), ...object }
  }
}

const NEVER = new AbortController().signal

function callOf({ timeoutMs, signal }: { timeoutMs: number | undefined; signal: AbortSignal | undefined }) {
  return { ...(timeoutMs !== undefined && { timeoutMs }), ...(signal !== undefined && { signal }) }
}

/** How long a 429 asks to wait. */
function waitOf({ status, headers }: BufferedResponse): number | undefined {
  if (status !== 429) return undefined
  const seconds = Number(headers['retry-after'] ?? 1)
  return Math.min(WAIT_LIMIT_MS, (Number.isFinite(seconds) ? Math.max(0, seconds) : 1) * 1000)
}

function searchOf(query: Query | undefined, first: string): string {
  if (!query) return ''
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(key, String(value))
  }
  const text = search.toString()
  return text === '' ? '' : first + text
}

/** Of any object; what cannot be one would change the path of a request. */
export function canBeName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/%]/.test(name)
}

function segment(name: string): string {
  if (!canBeName(name)) {
    throw new TypeError(`${JSON.stringify(name)} is not the name of an object`)
  }
  return encodeURIComponent(name)
}

/**
 * A genuine API server answers 500 to a version that is no number, though it is the client's mistake.
 * @throws StatusError 400
 */
function demandVersion(body: unknown): void {
  const version = (body as Partial<KubeObject> | null)?.metadata?.resourceVersion as unknown
  if (typeof version === 'string' && !/^\d*$/.test(version))
    throw badRequest(`metadata.resourceVersion: Invalid value: ${JSON.stringify(version)}: must be a number`)
}
