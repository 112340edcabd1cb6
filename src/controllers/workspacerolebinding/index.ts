/** The controller of bindings to workspace roles (iam-tenant.md §7.4). */
import { type Controller } from '../../controller/index.js'
import { type TenancyControllerDeps } from '../deps.js'
import { federated, FEDERATED_WORKSPACE_ROLE_BINDING } from '../federation/index.js'
import { workspaceOwnedController } from '../workspaceowned.js'

export function workspaceRoleBindingController(deps: TenancyControllerDeps): Controller {
  const { workspaceRoleBindings } = deps.resources
  const controller = workspaceOwnedController('workspacerolebinding', workspaceRoleBindings, deps)
  return federated(deps, workspaceRoleBindings, FEDERATED_WORKSPACE_ROLE_BINDING, controller)
}
