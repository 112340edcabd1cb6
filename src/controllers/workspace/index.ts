/** The workspace controller: workspaces own their namespaces (iam-tenant.md §7.9). */
import { type Controller, controllerOwner, fromInformer, storedIn } from '../../controller/index.js'
import { type TenancyControllerDeps } from '../deps.js'
import { whenSynced } from '../synced.js'
import { tellerOf, tellingFailures } from '../telling.js'
import { WorkspaceReconciler } from './workspace.reconciler.js'

const NAME = 'workspace'

export function workspaceController({ resources, events }: TenancyControllerDeps): Controller {
  const { workspaces, namespaces } = resources
  const reconciler = new WorkspaceReconciler({
    workspaces: storedIn(workspaces),
    namespaces: storedIn(namespaces),
    ownerFor: (workspace) => controllerOwner(workspaces.type, workspace),
    tell: tellerOf(events, NAME, workspaces),
  })
  return {
    name: NAME,
    reconciler: tellingFailures(events, NAME, workspaces, reconciler),
    sources: [whenSynced([workspaces.informer, namespaces.informer], fromInformer(workspaces.informer))],
  }
}
