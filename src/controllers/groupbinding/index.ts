/** The group binding controller (iam-tenant.md §7.7). */
import { type Controller, fromInformer, storedIn } from '../../controller/index.js'
import { type TenancyControllerDeps } from '../deps.js'
import { whenSynced } from '../synced.js'
import { tellerOf } from '../telling.js'
import { GroupBindingReconciler } from './groupbinding.reconciler.js'

const NAME = 'groupbinding'

export function groupBindingController({ resources, events }: TenancyControllerDeps): Controller {
  const { groupBindings } = resources
  const reconciler = new GroupBindingReconciler({
    bindings: storedIn(groupBindings),
    tell: tellerOf(events, NAME, groupBindings, 'GroupBinding synced successfully'),
  })
  return {
    name: NAME,
    reconciler,
    sources: [whenSynced([groupBindings.informer], fromInformer(groupBindings.informer))],
  }
}
