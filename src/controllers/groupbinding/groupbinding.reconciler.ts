/**
 * Group bindings linger until they have been seen to go.
 *
 * What they mean for `spec.groups` is the user controller's to work out, from all bindings of a user together: two
 * bindings may name the same pair.
 */
import {
  type Reconciler,
  type Request,
  type Stored,
  withFinalizer,
  withoutFinalizers,
} from '../../controller/index.js'
import { GROUP_BINDING_FINALIZER } from '../../tenancy/names.js'
import { type GroupBindingObject } from '../../tenancy/types.js'
import { type Tell } from '../telling.js'

export interface GroupBindingReconcilerDeps {
  bindings: Pick<Stored<GroupBindingObject>, 'get' | 'commit'>
  tell: Tell
}

export class GroupBindingReconciler implements Reconciler {
  constructor(private readonly deps: GroupBindingReconcilerDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<void> {
    const { bindings, tell } = this.deps
    const binding = bindings.get(name)
    if (binding === undefined) return
    const after = binding.metadata.deletionTimestamp
      ? withoutFinalizers(binding, GROUP_BINDING_FINALIZER)
      : withFinalizer(binding, GROUP_BINDING_FINALIZER)
    if ((await bindings.commit(binding, after, signal)) && !binding.metadata.deletionTimestamp) tell(binding)
  }
}
