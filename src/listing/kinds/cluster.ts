/** Namespaces, definitions, secrets, member clusters and IP pools: kinds with one rule of their own each. */
import { StatusError } from '../../apimachinery/errors/index.js'
import { byField, kind, read, textAt, type AnyKind, type KindDefinition } from '../kind.js'

const WORKSPACE = 'kubesphere.io/workspace'

const namespaceKind: KindDefinition<{ phase: string }> = {
  group: '',
  versions: ['v1'],
  resource: 'namespaces',
  singular: 'namespace',
  namespaced: false,
  cache: { extract: (object) => ({ phase: textAt(object, 'status', 'phase') }) },
  filters: { status: byField<{ phase: string }>(({ phase }, value) => phase === value) },
}

const definitions = kind<{ kind: string }>({
  group: 'apiextensions.k8s.io',
  versions: ['v1'],
  resource: 'customresourcedefinitions',
  singular: 'customresourcedefinition.apiextensions.k8s.io',
  namespaced: false,
  cache: { extract: (object) => ({ kind: textAt(object, 'spec', 'names', 'kind') }) },
  filters: {
    name: (value) => ({ matches: ({ name, fields }) => name.includes(value) || fields.kind.includes(value) }),
  },
})

const secrets = kind({
  group: '',
  versions: ['v1'],
  resource: 'secrets',
  singular: 'secret',
  namespaced: true,
})

const clusters = kind({
  group: 'cluster.kubesphere.io',
  versions: ['v1alpha1'],
  resource: 'clusters',
  singular: 'cluster.cluster.kubesphere.io',
  namespaced: false,
  // The kubeconfig of a member is a credential of its administrator.
  decorate(cluster) {
    const connection = read(cluster, 'spec', 'connection') as Record<string, unknown> | undefined
    if (connection?.['kubeconfig'] !== undefined) delete connection['kubeconfig']
    dropEmpty(cluster['spec'])
    cluster['status'] ??= {}
  },
})

/** Clients of the original never see these fields empty. */
function dropEmpty(part: unknown): void {
  if (part === null || typeof part !== 'object') return
  for (const [key, value] of Object.entries(part)) {
    if (value === false || value === '') delete (part as Record<string, unknown>)[key]
  }
}

const DEFAULT_POOL = 'ippool.network.kubesphere.io/default'

const ippools = kind({
  group: 'network.kubesphere.io',
  versions: ['v1alpha1'],
  resource: 'ippools',
  singular: 'ippool.network.kubesphere.io',
  namespaced: true,
  ignoresNamespace: true,
  decorate(pool) {
    const spec = pool['spec'] as Record<string, unknown> | undefined
    if (spec) {
      spec['dns'] ??= {}
      spec['vlanConfig'] ??= { vlanId: 0, master: '' }
    }
    pool['status'] = {
      unallocated: 0,
      allocations: 0,
      capacity: 0,
      ...(pool['status'] as object | undefined),
    }
  },
  source(_query, { store, stores, requested }) {
    if (requested === undefined) return { objects: [...store.byName()], consumed: [] }
    const namespace = stores.of(namespaceKind).get('', requested)
    if (!namespace) {
      throw new StatusError({ code: 500, reason: 'NotFound', message: `namespace "${requested}" not found` })
    }
    const workspace = namespace.labels[WORKSPACE]
    return {
      objects: [...store.byName()].filter(
        ({ labels }) =>
          labels[DEFAULT_POOL] === '' || (workspace !== undefined && labels[WORKSPACE] === workspace),
      ),
      consumed: [],
    }
  },
})

export const clusterKinds: AnyKind[] = [kind(namespaceKind), definitions, secrets, clusters, ippools]
