/** Gives every administrator of the cluster a pod for the web terminal, as long as the binding lasts. */
import { type KubeObject, type OwnerReference } from '../../apimachinery/meta/types.js'
import { type Reconciler, type Request } from '../../controller/index.js'
import { type BindingObject, userNamesIn } from '../../tenancy/types.js'
import { type Tell } from '../telling.js'
import { kubectlDeployment } from './kubectl.js'

type Binding = Readonly<BindingObject>

export interface ClusterRoleBindingDeps {
  get: (name: string) => Binding | undefined
  /** A user who is there to stay. */
  hasUser: (name: string) => boolean
  /** @returns whether it was made now; false when one of that name is there */
  createDeployment: (deployment: KubeObject, signal: AbortSignal) => Promise<boolean>
  ownerFor: (binding: Binding) => OwnerReference
  image: string
  tell: Tell
}

/** Longest label value, which is how the pod of a user is found. */
const MAX_LABEL = 63

export class ClusterRoleBindingReconciler implements Reconciler {
  constructor(private readonly deps: ClusterRoleBindingDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<void> {
    const { get, hasUser, createDeployment, ownerFor, image, tell } = this.deps
    const binding = get(name)
    if (binding === undefined || binding.metadata.deletionTimestamp || !isForAdministrators(binding)) return
    let changed = false
    for (const user of userNamesIn(binding)) {
      if (user.length > MAX_LABEL || !hasUser(user)) continue
      changed = (await createDeployment(kubectlDeployment(user, image, ownerFor(binding)), signal)) || changed
    }
    if (changed) tell(binding)
  }
}

export function isForAdministrators({ roleRef }: Binding): boolean {
  return roleRef.kind === 'ClusterRole' && roleRef.name === 'cluster-admin'
}
