/** The controller of bindings to global roles (iam-tenant.md §7.4). */
import {
  type Controller,
  controllerOwner,
  fromChanges,
  fromInformer,
  storedIn,
} from '../../controller/index.js'
import { Mentions } from '../../tenancy/mentions.js'
import { userNamesIn } from '../../tenancy/types.js'
import { type TenancyControllerDeps } from '../deps.js'
import { federated, FEDERATED_GLOBAL_ROLE_BINDING } from '../federation/index.js'
import { whenSynced } from '../synced.js'
import { tellerOf } from '../telling.js'
import { CLUSTER_ADMIN, GlobalRoleBindingReconciler } from './globalrolebinding.reconciler.js'

const NAME = 'globalrolebinding'
const SUFFIX = `-${CLUSTER_ADMIN}`

export function globalRoleBindingController(deps: TenancyControllerDeps): Controller {
  const { resources, events } = deps
  const { globalRoleBindings, clusterRoleBindings } = resources
  const byUser = new Mentions(globalRoleBindings, userNamesIn)
  const reconciler = new GlobalRoleBindingReconciler({
    get: (name) => globalRoleBindings.get(name),
    clusterRoleBindings: storedIn(clusterRoleBindings),
    ownerFor: (binding) => controllerOwner(globalRoleBindings.type, binding),
    tell: tellerOf(events, NAME, globalRoleBindings, 'GlobalRoleBinding synced successfully'),
  })
  const both = [globalRoleBindings.informer, clusterRoleBindings.informer]
  return federated(deps, globalRoleBindings, FEDERATED_GLOBAL_ROLE_BINDING, {
    name: NAME,
    reconciler,
    sources: [
      whenSynced(both, fromInformer(globalRoleBindings.informer)),
      whenSynced(
        both,
        // One that went with another binding may have to be made again.
        fromChanges(clusterRoleBindings.informer, ({ type, object: { name } }) =>
          type === 'deleted' && name.endsWith(SUFFIX)
            ? byUser
                .of(name.slice(0, -SUFFIX.length))
                .map(({ metadata }) => ({ namespace: '', name: metadata.name ?? '' }))
            : [],
        ),
      ),
    ],
  })
}
