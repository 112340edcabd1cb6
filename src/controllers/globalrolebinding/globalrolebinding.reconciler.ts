/**
 * Makes platform administrators administrators of the cluster: whoever is bound to the role platform-admin gets a
 * ClusterRoleBinding, which belongs to that binding and goes with it.
 */
import { equal } from '../../apimachinery/json/value.js'
import { type OwnerReference } from '../../apimachinery/meta/types.js'
import { type Reconciler, type Request, type Stored } from '../../controller/index.js'
import { RBAC_GROUP } from '../../tenancy/resources.js'
import { type BindingObject, userNamesIn } from '../../tenancy/types.js'
import { type Tell } from '../telling.js'

type Binding = Readonly<BindingObject>

export interface GlobalRoleBindingDeps {
  get: (name: string) => Binding | undefined
  clusterRoleBindings: Pick<Stored<BindingObject>, 'get' | 'create' | 'commit'>
  ownerFor: (binding: Binding) => OwnerReference
  tell: Tell
}

export const PLATFORM_ADMIN = 'platform-admin'
export const CLUSTER_ADMIN = 'cluster-admin'

/** The ClusterRoleBinding of administrators of whom that user is the first. */
export const clusterAdminBindingOf = (user: string): string => `${user}-${CLUSTER_ADMIN}`

export class GlobalRoleBindingReconciler implements Reconciler {
  constructor(private readonly deps: GlobalRoleBindingDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<void> {
    const { get, clusterRoleBindings, ownerFor, tell } = this.deps
    const binding = get(name)
    if (binding === undefined || binding.metadata.deletionTimestamp) return
    if (binding.roleRef.kind !== 'GlobalRole' || binding.roleRef.name !== PLATFORM_ADMIN) return
    const users = userNamesIn(binding)
    const [first] = users
    if (first === undefined) return

    const subjects = users.map((user) => ({ kind: 'User', apiGroup: RBAC_GROUP, name: user }))
    const derived = clusterAdminBindingOf(first)
    const existing = clusterRoleBindings.get(derived)
    if (existing === undefined) {
      const metadata = { name: derived, ownerReferences: [ownerFor(binding)] }
      const roleRef = { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name: CLUSTER_ADMIN }
      await clusterRoleBindings.create({ metadata, subjects, roleRef }, signal)
      return tell(binding)
    }
    const isOurs = existing.metadata.ownerReferences?.some(({ uid }) => uid === binding.metadata.uid)
    // What somebody else made under that name is theirs.
    if (!isOurs || equal(existing.subjects ?? [], subjects)) return
    await clusterRoleBindings.commit(existing, { ...existing, subjects }, signal)
    tell(binding)
  }
}
