/** The resource quota controller: what workspaces use of their quotas (iam-tenant.md §7.11). */
import { createMergePatch } from '../../apimachinery/patch/index.js'
import { equal } from '../../apimachinery/json/value.js'
import { type Change, type Informer } from '../../client/cache/interface.js'
import { Discovery } from '../../client/discovery.js'
import {
  type Controller,
  controllerOwner,
  fromChanges,
  fromInformer,
  type Request,
  type Source,
  storedIn,
} from '../../controller/index.js'
import { WORKSPACE } from '../../tenancy/names.js'
import {
  CountedObjects,
  evaluatorOf,
  type GroupResource,
  selectorsOf,
  selectsNamespace,
  written,
} from '../../tenancy/quota/index.js'
import { type TenancyControllerDeps } from '../deps.js'
import { whenSynced } from '../synced.js'
import { tellerOf, tellingFailures } from '../telling.js'
import { ResourceQuotaReconciler } from './resourcequota.reconciler.js'

const NAME = 'resourcequota'

export function resourceQuotaController(deps: TenancyControllerDeps): Controller {
  const { resources, events, informers, client } = deps
  const { quotas, workspaces, namespaces } = resources
  const selectors = selectorsOf(quotas)
  const listeners = new Set<(request: Request) => void>()
  const objects = new CountedObjects({
    informers,
    discovery: new Discovery({ client }),
    onChange(type, informer, change) {
      const labels = namespaces.informer.store.get('', change.object.namespace)?.labels
      if (labels === undefined) return
      const concerned = [...selectors.matching(labels)]
      if (concerned.length === 0 || !takesOther(type, informer, change)) return
      for (const name of concerned) for (const tell of listeners) tell({ namespace: '', name })
    },
  })
  const fromObjects: Source = (enqueue) => {
    listeners.add(enqueue)
    return () => listeners.delete(enqueue)
  }

  const reconciler = new ResourceQuotaReconciler({
    quotas: storedIn(quotas),
    workspaces: storedIn(workspaces),
    ownerFor: (workspace) => controllerOwner(workspaces.type, workspace),
    *namespacesOf(selector) {
      const { store } = namespaces.informer
      const [first] = Object.entries(selector)
      for (const { name, labels } of first ? store.byLabel(...first) : store.byName())
        if (selectsNamespace(selector, labels)) yield name
    },
    ready: (types, signal) => objects.ready(types, signal),
    objectsIn: objects.in,
    async writeStatus({ metadata, status: before = {} }, status, signal) {
      const { name = '', uid, resourceVersion } = metadata
      const patch = { metadata: { uid, resourceVersion }, status: createMergePatch(before, status) }
      await quotas.patch(name, 'merge', patch, { subresource: 'status', signal })
    },
    now: () => Date.now(),
    tell: tellerOf(events, NAME, quotas),
  })
  const named = (names: Iterable<string>): Request[] => [...names].map((name) => ({ namespace: '', name }))
  const read = [quotas, workspaces, namespaces].map(({ informer }) => informer)
  const sources = [
    fromInformer(quotas.informer),
    fromObjects,
    fromChanges(namespaces.informer, ({ type, object, previous }) =>
      type === 'modified' && equal(object.labels, previous?.labels)
        ? []
        : named([
            ...selectors.matching(object.labels),
            ...selectors.matching(previous?.labels ?? {}),
            ...selectors.unselective,
          ]),
    ),
    fromChanges(workspaces.informer, function* ({ object }) {
      for (const { name } of quotas.informer.store.byLabel(WORKSPACE, object.name))
        yield { namespace: '', name }
    }),
  ]
  return {
    name: NAME,
    workers: 4,
    reconciler: tellingFailures(events, NAME, quotas, reconciler),
    sources: sources.map((source) => whenSynced(read, source)),
  }
}

/** Most changes of a pod are about its health: they take nothing of a quota. */
function takesOther(type: GroupResource, { store }: Informer, { object, previous }: Change): boolean {
  if (previous === undefined) return true
  const now = Date.now()
  const evaluator = evaluatorOf(type)
  try {
    const [before, after] = [previous, object].map((cached) =>
      written(evaluator.usage(store.object(cached), now)),
    )
    return !equal(before, after)
  } catch {
    return true // Cannot be counted; the pass says so.
  }
}
