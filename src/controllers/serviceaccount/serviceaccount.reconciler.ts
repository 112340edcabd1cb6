/**
 * Binds a service account to the role that its annotation names.
 *
 * The one binding that says so stays; others made for the account go. Without the annotation nothing is touched, as
 * in the original.
 */
import { type KubeObject, type OwnerReference } from '../../apimachinery/meta/types.js'
import { type Reconciler, type Request, type Stored } from '../../controller/index.js'
import { ROLE, SERVICE_ACCOUNT_REF } from '../../tenancy/names.js'
import { RBAC_GROUP } from '../../tenancy/resources.js'
import { type BindingObject } from '../../tenancy/types.js'
import { type Tell } from '../telling.js'

export interface ServiceAccountReconcilerDeps {
  get: (name: string, namespace: string) => Readonly<KubeObject> | undefined
  /** @throws StatusError 404 */
  requireRole: (name: string, namespace: string) => unknown
  bindings: Pick<Stored<BindingObject>, 'create' | 'delete'>
  /** Made for the account, by their label. */
  bindingsOf: (account: string, namespace: string) => readonly Readonly<BindingObject>[]
  ownerFor: (account: Readonly<KubeObject>) => OwnerReference
  tell: Tell
}

/** Longest label value. */
const MAX_LABEL = 63

export class ServiceAccountReconciler implements Reconciler {
  constructor(private readonly deps: ServiceAccountReconcilerDeps) {}

  async reconcile({ name, namespace }: Request, signal: AbortSignal): Promise<void> {
    const { get, requireRole, bindings, bindingsOf, ownerFor, tell } = this.deps
    const account = get(name, namespace)
    const role = account?.metadata.annotations?.[ROLE] ?? ''
    if (account === undefined || account.metadata.deletionTimestamp || role === '') return
    if (name.length > MAX_LABEL) return
    requireRole(role, namespace)

    const existing = bindingsOf(name, namespace).filter(({ metadata }) => !metadata.deletionTimestamp)
    const right = existing.find((binding) => binds(binding, role, name, namespace))
    const wrong = existing.filter((binding) => binding !== right)
    if (right === undefined)
      await bindings.create(
        {
          metadata: {
            generateName: `${name}-${role}-`,
            namespace,
            labels: { [SERVICE_ACCOUNT_REF]: name },
            ownerReferences: [ownerFor(account)],
          },
          subjects: [{ kind: 'ServiceAccount', name, namespace }],
          roleRef: { apiGroup: RBAC_GROUP, kind: 'Role', name: role },
        },
        signal,
      )
    for (const binding of wrong) await bindings.delete(binding, signal)
    if (right === undefined || wrong.length > 0) tell(account)
  }
}

function binds(
  { roleRef, subjects }: Readonly<BindingObject>,
  role: string,
  account: string,
  namespace: string,
): boolean {
  const [only, ...others] = subjects ?? []
  return (
    roleRef.kind === 'Role' &&
    roleRef.name === role &&
    only?.kind === 'ServiceAccount' &&
    only.name === account &&
    only.namespace === namespace &&
    others.length === 0
  )
}
