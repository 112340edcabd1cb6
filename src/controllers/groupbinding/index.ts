/** The group binding controller (iam-tenant.md §7.7). */
import { type Controller, fromInformer, storedIn } from '../../controller/index.js'
import { type TenancyControllerDeps } from '../deps.js'
import { federated, FEDERATED_GROUP_BINDING } from '../federation/index.js'
import { whenSynced } from '../synced.js'
import { tellerOf } from '../telling.js'
import { GroupBindingReconciler } from './groupbinding.reconciler.js'

const NAME = 'groupbinding'

export function groupBindingController(deps: TenancyControllerDeps): Controller {
  const { resources, events } = deps
  const { groupBindings } = resources
  const reconciler = new GroupBindingReconciler({
    bindings: storedIn(groupBindings),
    tell: tellerOf(events, NAME, groupBindings, 'GroupBinding synced successfully'),
  })
  return federated(deps, groupBindings, FEDERATED_GROUP_BINDING, {
    name: NAME,
    reconciler,
    sources: [whenSynced([groupBindings.informer], fromInformer(groupBindings.informer))],
  })
}
