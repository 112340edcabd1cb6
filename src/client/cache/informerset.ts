/** All informers of a process: one per resource, started on first demand. */
import { Recent } from '../../apimachinery/packing/index.js'
import { type GroupVersionResource, type UserInfo } from '../../apimachinery/meta/types.js'
import { qualify } from '../../apimachinery/errors/index.js'
import { systemClock, type Clock } from '../clock.js'
import { type Logger } from '../log.js'
import { type Transport } from '../transport.js'
import { SharedInformer } from './informer.js'
import { type CacheOptions, type Informer, type InformerSet } from './interface.js'

export interface InformerSetOptions {
  transport: Transport
  logger: Logger
  clock?: Clock
  /** 0 to 1, as Math.random. */
  random?: () => number
  /** Who lists and watches, where the transport is in process. */
  user?: UserInfo
  userAgent?: string
  /** How often a resource that the API does not serve is asked for again. */
  recheckMs?: number
  /** Objects per page of a list. */
  pageLimit?: number
}

export interface RecheckingInformerSet extends InformerSet {
  /** Asks again at once for resources that are absent or failing; with a name (`users.iam.kubesphere.io`) only that. */
  recheck(resource?: string): void
}

/**
 * Whoever asks for the informer of CustomResourceDefinitions also gets this: a definition that appears or
 * changes makes the informer of its resource look again at once.
 */
export function createInformerSet(options: InformerSetOptions): RecheckingInformerSet {
  const { transport, logger, user, clock = systemClock, random = Math.random } = options
  const { userAgent = 'orrery', recheckMs = 15_000, pageLimit = 500 } = options
  const informers = new Map<string, { resource: string; informer: SharedInformer }>()
  const recent = new Recent()
  let closed = false

  function recheck(resource?: string): void {
    for (const each of informers.values()) {
      const waits = each.informer.state === 'absent' || each.informer.state === 'failing'
      if (waits && (resource === undefined || resource === each.resource)) each.informer.recheck()
    }
  }

  function informer<Fields>(
    resource: GroupVersionResource,
    cacheOptions?: CacheOptions<Fields>,
  ): Informer<Fields> {
    const path = listPath(resource)
    const known = informers.get(path)
    if (known) {
      // The first options win, so the type is theirs; callers share one constant per resource, or give none.
      const shared = known.informer as unknown as SharedInformer<Fields>
      if (cacheOptions) shared.store.adopt(cacheOptions)
      return shared
    }
    if (closed) throw new Error(`the informers are closed; ${path} was asked for`)
    const made = new SharedInformer<Fields>(
      { transport, path, logger, clock, random, user, userAgent, pageLimit, recheckMs },
      cacheOptions,
      recent,
    )
    informers.set(path, { resource: qualify(resource), informer: made as unknown as SharedInformer })
    if (resource.group === 'apiextensions.k8s.io' && resource.resource === 'customresourcedefinitions') {
      made.onChange(({ type, object }) => {
        if (type !== 'deleted') recheck(object.name)
      })
    }
    made.start()
    return made
  }

  return {
    informer,
    recheck,
    *status() {
      for (const { resource, informer: each } of informers.values()) {
        yield {
          resource,
          state: each.state,
          objects: each.store.size,
          ...(each.error !== undefined && { error: each.error }),
        }
      }
    },
    async close() {
      closed = true
      await Promise.all([...informers.values()].map(({ informer: each }) => each.close()))
    },
  }
}

/** The collection of all namespaces. */
export function listPath({ group, version, resource }: GroupVersionResource): string {
  return group === '' ? `/api/${version}/${resource}` : `/apis/${group}/${version}/${resource}`
}
