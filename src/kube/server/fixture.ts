/**
 * A server with two made-up kinds, for tests: namespaced Widgets with status and scale, as a built-in kind
 * would be, and cluster-scoped custom Gadgets.
 */
import { type KubeObject, type UserInfo } from '../../apimachinery/meta/types.js'
import { type BufferedResponse, type Headers, send, type TransportRequest } from '../../client/transport.js'
import { createCatalogue } from '../registry/catalogue.js'
import { ManualClock } from '../registry/clock.js'
import { type ResourceDefinition, type Strategy } from '../registry/strategy.js'
import { createMemoryStorage } from '../storage/memory/index.js'
import { createKubeServer, type KubeServer, type KubeServerOptions } from './index.js'

const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
export const ADMIN: UserInfo = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }

const KNOWN = new Set(['kind', 'apiVersion', 'metadata', 'spec', 'status', 'data'])

export function widgetStrategy(overrides: Partial<Strategy> = {}): Strategy {
  return {
    decode(object, issues) {
      for (const field of Object.keys(object)) {
        if (KNOWN.has(field)) continue
        issues.unknown.push(field)
        delete object[field]
      }
      return object
    },
    applyDefaults(object) {
      const spec = (object.spec ??= {}) as { color?: string }
      spec.color ??= 'grey'
    },
    validate(object) {
      const { size } = object.spec as { size?: number }
      if (size === undefined || size >= 0) return []
      return [
        { reason: 'FieldValueInvalid', field: 'spec.size', message: `Invalid value: ${size}: too small` },
      ]
    },
    validateUpdate(object, _previous, context) {
      return this.validate(object, context)
    },
    nameRule: 'subdomain',
    statusSubresource: true,
    hasGeneration: true,
    allowCreateOnUpdate: false,
    allowUnconditionalUpdate: true,
    columns: [
      { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 },
      { name: 'Color', type: 'string', format: '', description: '', priority: 0 },
    ],
    cells: (object) => [
      object.metadata.name,
      (object.spec as { color?: string } | undefined)?.color ?? '<none>',
    ],
    fieldSelectors: { 'spec.color': (object) => (object.spec as { color: string }).color },
    schema: { structural: undefined, preserveUnknownFields: true },
    ...overrides,
  }
}

export function widgets(overrides: Partial<ResourceDefinition> = {}): ResourceDefinition {
  return {
    group: '',
    version: 'v1',
    resource: 'widgets',
    singular: '',
    kind: 'Widget',
    listKind: 'WidgetList',
    namespaced: true,
    verbs: ALL_VERBS,
    shortNames: ['wd'],
    categories: ['all'],
    storageVersionHash: 'abc=',
    storage: { group: '', version: 'v1' },
    keyPrefix: '/registry/widgets',
    strategy: widgetStrategy(),
    subresources: [],
    custom: false,
    ...overrides,
  }
}

export function gadgets(): ResourceDefinition {
  return widgets({
    group: 'ex.io',
    version: 'v1alpha1',
    resource: 'gadgets',
    singular: 'gadget',
    kind: 'Gadget',
    listKind: 'GadgetList',
    namespaced: false,
    storage: { group: 'ex.io', version: 'v1alpha1' },
    keyPrefix: '/registry/ex.io/gadgets',
    strategy: { ...widgetStrategy({ allowUnconditionalUpdate: false }) },
    custom: true,
  })
}

export interface Answer extends BufferedResponse {
  /** The body as JSON. */
  json: KubeObject & Record<string, unknown>
}

export interface Fixture {
  server: KubeServer
  clock: ManualClock
  storage: KubeServerOptions['storage']
  /** Sends JSON, or text and bytes as they are. */
  call(method: string, path: string, body?: unknown, headers?: Headers): Promise<Answer>
  /** Opens a watch; `events` grows as they come. */
  watch(path: string, headers?: Headers): WatchProbe
}

export interface WatchProbe {
  status: number
  events: { type: string; object: KubeObject & Record<string, unknown> }[]
  /** In which they came. */
  pieces: number
  ended: boolean
  abort(): void
  /** Stops taking data, and goes on. */
  pause(): void
  resume(): void
}

export function fixture(overrides: Partial<KubeServerOptions> = {}): Fixture {
  const clock = new ManualClock()
  const storage = overrides.storage ?? createMemoryStorage()
  const server = createKubeServer({
    storage,
    catalogue: createCatalogue([widgets(), gadgets()]),
    authenticate: () => ADMIN,
    authorize: () => ({ allowed: true, reason: '' }),
    admission: [],
    version: {
      major: '1',
      minor: '20',
      gitVersion: 'v1.20.2',
      gitCommit: '',
      gitTreeState: 'clean',
      buildDate: '',
      goVersion: '',
      compiler: '',
      platform: '',
    },
    clock,
    ...overrides,
  })

  return {
    server,
    clock,
    storage,
    async call(method, path, body, headers = {}) {
      const request: TransportRequest = { method, path, headers: { ...headers } }
      if (body !== undefined) {
        const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
        request.body = Buffer.from(text)
        request.headers['content-type'] ??= 'application/json'
      }
      const response = await send(server.transport, request)
      return {
        ...response,
        get json() {
          return JSON.parse(response.body.toString()) as Answer['json']
        },
      }
    },
    watch(path, headers = {}) {
      let text = ''
      let paused = false
      const probe: WatchProbe = {
        status: 0,
        events: [],
        pieces: 0,
        ended: false,
        abort: () => dispatched.abort(),
        pause: () => (paused = true),
        resume: () => {
          paused = false
          dispatched.resume()
        },
      }
      const dispatched = server.transport.dispatch(
        { method: 'GET', path, headers },
        {
          head: (status) => (probe.status = status),
          data(chunk) {
            probe.pieces++
            text += Buffer.from(chunk).toString()
            const lines = text.split('\n')
            text = lines.pop() ?? ''
            for (const line of lines) probe.events.push(JSON.parse(line) as WatchProbe['events'][number])
            return !paused
          },
          end: () => (probe.ended = true),
          fail: () => (probe.ended = true),
        },
      )
      return probe
    },
  }
}

export function widget(name: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const { metadata, ...rest } = more
  return {
    kind: 'Widget',
    apiVersion: 'v1',
    metadata: { name, ...(metadata as object | undefined) },
    ...rest,
  }
}

export const WIDGETS = '/api/v1/namespaces/default/widgets'
export const GADGETS = '/apis/ex.io/v1alpha1/gadgets'

/** Polls until the assertion holds. */
export async function eventually(assertion: () => void | Promise<void>, timeoutMs = 5000): Promise<void> {
  const until = Date.now() + timeoutMs
  for (;;) {
    try {
      return await assertion()
    } catch (error) {
      if (Date.now() > until) throw error
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}
