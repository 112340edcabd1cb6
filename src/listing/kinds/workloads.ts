/** Deployments, daemon sets, stateful sets, jobs, applications (resources.md §3.5.1-3.5.3, §3.5.5). */
import { type CachedObject } from '../../client/cache/interface.js'
import { byField, kind, listAt, numberAt, read, textAt, timeAt, type AnyKind } from '../kind.js'

interface Workload {
  status: string
  /** Milliseconds. */
  updated: number
}

const byUpdate = (a: CachedObject<Workload>, b: CachedObject<Workload>): number =>
  Math.max(a.fields.updated, a.creationTimestamp) - Math.max(b.fields.updated, b.creationTimestamp) ||
  (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)

const statusFilter = { status: byField<Workload>(({ status }, value) => status === value) }

/** Newest time of a field over all conditions. */
function newestCondition(object: unknown, field: string): number {
  return Math.max(0, ...listAt(object, 'status', 'conditions').map((condition) => timeAt(condition, field)))
}

const deployments = kind<Workload>({
  group: 'apps',
  versions: ['v1'],
  resource: 'deployments',
  singular: 'deployment.apps',
  namespaced: true,
  cache: {
    extract(object) {
      const replicas = numberAt(object, 'status', 'replicas')
      const ready = numberAt(object, 'status', 'readyReplicas')
      return {
        status: replicas === 0 && ready === 0 ? 'stopped' : ready === replicas ? 'running' : 'updating',
        updated: newestCondition(object, 'lastUpdateTime'),
      }
    },
  },
  filters: statusFilter,
  sorts: { updateTime: byUpdate, lastUpdateTimestamp: byUpdate },
})

const daemonsets = kind<Workload>({
  group: 'apps',
  versions: ['v1'],
  resource: 'daemonsets',
  singular: 'daemonset.apps',
  namespaced: true,
  cache: {
    extract(object) {
      const desired = numberAt(object, 'status', 'desiredNumberScheduled')
      const ready = numberAt(object, 'status', 'numberReady')
      return {
        status: desired === 0 && ready === 0 ? 'stopped' : desired === ready ? 'running' : 'updating',
        updated: 0,
      }
    },
  },
  filters: statusFilter,
})

const statefulsets = kind<Workload>({
  group: 'apps',
  versions: ['v1'],
  resource: 'statefulsets',
  singular: 'statefulset.apps',
  namespaced: true,
  cache: {
    extract(object) {
      const wanted = read(object, 'spec', 'replicas')
      const ready = numberAt(object, 'status', 'readyReplicas')
      const stopped = typeof wanted !== 'number' || (wanted === 0 && ready === 0)
      return { status: stopped ? 'stopped' : ready === wanted ? 'running' : 'updating', updated: 0 }
    },
  },
  filters: statusFilter,
})

function jobStatus(object: unknown): string {
  for (const condition of listAt(object, 'status', 'conditions')) {
    if (textAt(condition, 'status') !== 'True') continue
    if (textAt(condition, 'type') === 'Complete') return 'completed'
    if (textAt(condition, 'type') === 'Failed') return 'failed'
  }
  return 'running'
}

const jobs = kind<Workload>({
  group: 'batch',
  versions: ['v1'],
  resource: 'jobs',
  singular: 'job.batch',
  namespaced: true,
  cache: {
    extract: (object) => ({
      status: jobStatus(object),
      updated: newestCondition(object, 'lastTransitionTime'),
    }),
  },
  filters: statusFilter,
  sorts: {
    updateTime: byUpdate,
    lastUpdateTimestamp: byUpdate,
    status: (a, b) => (a.fields.status < b.fields.status ? -1 : a.fields.status > b.fields.status ? 1 : 0),
  },
})

const applications = kind<Workload>({
  group: 'app.k8s.io',
  versions: ['v1beta1'],
  resource: 'applications',
  singular: 'Application.app.k8s.io',
  namespaced: true,
  cache: {
    extract: (object) => ({ status: '', updated: newestCondition(object, 'lastUpdateTime') }),
  },
  decorate(application) {
    const spec = application['spec'] as Record<string, unknown> | undefined
    if (spec?.['addOwnerRef'] === false) delete spec['addOwnerRef']
  },
  sorts: { updateTime: byUpdate, lastUpdateTimestamp: byUpdate },
})

export const workloadKinds: AnyKind[] = [deployments, daemonsets, statefulsets, jobs, applications]
