/**
 * Opens watches, and ends those of resources that are no longer served.
 *
 * Where a watch starts is worked out here; section 7.5 of the contract and, for streaming lists
 * (`sendInitialEvents`), Kubernetes 1.27.
 */
import { invalid, type FieldFault } from '../../apimachinery/errors/index.js'
import { type Storage } from '../storage/interface.js'
import { type Clock } from './clock.js'
import { parseRevision, readList, waitForRevision } from './list.js'
import { Pace } from './pace.js'
import { type Served, served } from './served.js'
import { type Caller, type Catalogue, type ResourceDefinition } from './strategy.js'
import { Watch, type WatchRequest, type WatchSink, type WatchStart } from './watch.js'

export interface WatchOptions extends WatchRequest {
  resourceVersion: string
  resourceVersionMatch: string
  /** Undefined where the request does not say. */
  sendInitialEvents: boolean | undefined
  caller?: Caller
}

export class Watches {
  readonly #open = new Set<Watch>()
  readonly #paces = new WeakMap<Served, Pace>()

  constructor(private readonly deps: { storage: Storage; catalogue: Catalogue; clock: Clock }) {
    deps.catalogue.onChange(() => {
      for (const watch of this.#open) {
        const { definition } = watch.resource
        const { group, version, resource } = definition
        if (deps.catalogue.get(group, version, resource) !== definition) watch.end()
      }
    })
  }

  /** Watches now open. */
  get size(): number {
    return this.#open.size
  }

  /** Ends all, cleanly, for a shutdown. */
  end(): void {
    for (const watch of this.#open) watch.end()
  }

  /** Finds the starting point. @throws StatusError 400, 422, 504 before anything is sent */
  async start(definition: ResourceDefinition, options: WatchOptions): Promise<WatchStart> {
    checkOptions(options)
    const { storage } = this.deps
    const { resourceVersion, sendInitialEvents } = options
    const wanted = resourceVersion === '' ? 0 : parseRevision(resourceVersion)
    const withState = sendInitialEvents ?? wanted === 0
    if (!withState) {
      const revision = wanted === 0 ? storage.revision : wanted
      return { initial: [], revision, markInitialEnd: false }
    }
    if (sendInitialEvents === true) await waitForRevision(storage, wanted, options.caller)
    const { items, revision } = await readList(storage, definition, options.namespace, {
      resourceVersion: '',
      resourceVersionMatch: '',
      limit: 0,
      continue: '',
      filter: options.filter,
    })
    return { initial: items, revision, markInitialEnd: sendInitialEvents === true }
  }

  /** Creates the watch; it sends from `open()` on. */
  create(definition: ResourceDefinition, options: WatchOptions, start: WatchStart, sink: WatchSink): Watch {
    const { storage, clock } = this.deps
    const onClose = (): void => void this.#open.delete(watch)
    const resource = served(definition)
    const watch: Watch = new Watch(
      storage,
      clock,
      resource,
      options,
      start,
      sink,
      onClose,
      this.#paceOf(resource),
    )
    this.#open.add(watch)
    return watch
  }

  /** Each resource has its own: who watches another does not wait for a crowd. */
  #paceOf(resource: Served): Pace {
    const known = this.#paces.get(resource)
    if (known) return known
    const pace = new Pace()
    this.#paces.set(resource, pace)
    return pace
  }
}

function checkOptions({ resourceVersionMatch: match, sendInitialEvents }: WatchOptions): void {
  const faults: FieldFault[] = []
  const forbidden = (message: string): void => {
    faults.push({ reason: 'FieldValueForbidden', field: 'resourceVersionMatch', message })
  }
  if (sendInitialEvents === undefined && match !== '') {
    forbidden('Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
  }
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    if (match === '') {
      forbidden('Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
    } else {
      faults.push({
        reason: 'FieldValueNotSupported',
        field: 'resourceVersionMatch',
        message: `Unsupported value: ${JSON.stringify(match)}: supported values: "NotOlderThan"`,
      })
    }
  }
  if (faults.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', faults)
}
