/** Keeps a role book up to date from informers, and answers where namespaces and DevOps projects belong. */
import { type Informer, type InformerSet } from '../client/cache/interface.js'
import { type Gate, gate, type Loading } from '../client/gate.js'
import {
  type BindingKind,
  type BindingObject,
  type RoleKind,
  type RoleObject,
  WORKSPACE_LABEL,
} from './objects.js'
import { type Places } from './rbac.js'
import { type RoleBook } from './rolebook.js'
import { type FindRole } from './roles.js'

const IAM = { group: 'iam.kubesphere.io', version: 'v1alpha2' }
const RBAC = { group: 'rbac.authorization.k8s.io', version: 'v1' }

type Resource = Parameters<InformerSet['informer']>[0]

const ROLES: readonly [RoleKind, Resource][] = [
  ['GlobalRole', { ...IAM, resource: 'globalroles' }],
  ['WorkspaceRole', { ...IAM, resource: 'workspaceroles' }],
  ['ClusterRole', { ...RBAC, resource: 'clusterroles' }],
  ['Role', { ...RBAC, resource: 'roles' }],
]

const BINDINGS: readonly [BindingKind, Resource][] = [
  ['GlobalRoleBinding', { ...IAM, resource: 'globalrolebindings' }],
  ['WorkspaceRoleBinding', { ...IAM, resource: 'workspacerolebindings' }],
  ['ClusterRoleBinding', { ...RBAC, resource: 'clusterrolebindings' }],
  ['RoleBinding', { ...RBAC, resource: 'rolebindings' }],
]

const NAMESPACES = { group: '', version: 'v1', resource: 'namespaces' }
const DEVOPS_PROJECTS = { group: 'devops.kubesphere.io', version: 'v1alpha3', resource: 'devopsprojects' }

export interface Followed {
  places: Places
  pending: Gate
  stop: () => void
}

/** Reads a role when a binding names it first, so that those bound to nobody cost nothing. */
export function roleFinder(informers: InformerSet): FindRole {
  const roles = new Map(ROLES.map(([kind, resource]) => [kind, informers.informer(resource)]))
  return (kind, namespace, name) => {
    const store = roles.get(kind)?.store
    const cached = store?.get(namespace, name)
    return cached && store?.object<RoleObject>(cached)
  }
}

/** @param first what requests wait for besides roles and bindings */
export function followRoles(
  informers: InformerSet,
  book: RoleBook,
  first: readonly Loading[] = [],
): Followed {
  const stops: (() => void)[] = []
  const all: Informer[] = []

  /** Reads the whole object on each change: informers are shared, so their fields may be somebody else's. */
  const follow = <T>(
    resource: Resource,
    set: (object: Readonly<T>) => void,
    remove: (namespace: string, name: string) => void,
  ): void => {
    const informer = informers.informer(resource)
    all.push(informer)
    for (const cached of informer.store.byName()) set(informer.store.object<T>(cached))
    stops.push(
      informer.onChange(({ type, object }) => {
        if (type === 'deleted') remove(object.namespace, object.name)
        else set(informer.store.object<T>(object))
      }),
    )
  }

  for (const [kind, resource] of ROLES) {
    const informer = informers.informer(resource)
    all.push(informer)
    stops.push(informer.onChange(({ object }) => book.roleChanged(kind, object.namespace, object.name)))
  }
  for (const [kind, resource] of BINDINGS) {
    follow<BindingObject>(
      resource,
      (binding) => book.setBinding(kind, binding),
      (namespace, name) => book.deleteBinding(kind, namespace, name),
    )
  }
  const namespaces = informers.informer(NAMESPACES)
  const projects = informers.informer(DEVOPS_PROJECTS)
  all.push(namespaces, projects)

  return {
    places: {
      workspaceOf: (namespace) => namespaces.store.get('', namespace)?.labels[WORKSPACE_LABEL] ?? '',
      devopsProject(name) {
        const cached = projects.store.get('', name)
        if (cached === undefined) return undefined
        const { status } = projects.store.object<{ status?: { adminNamespace?: string } }>(cached)
        return {
          workspace: cached.labels[WORKSPACE_LABEL] ?? '',
          adminNamespace: status?.adminNamespace ?? '',
        }
      },
    },
    pending: gate([...first, ...all], 'roles and bindings'),
    stop() {
      for (const stop of stops) stop()
    },
  }
}
