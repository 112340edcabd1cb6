/** The controller of bindings to workspace roles (iam-tenant.md §7.4). */
import { type Controller } from '../../controller/index.js'
import { type TenancyControllerDeps } from '../deps.js'
import { workspaceOwnedController } from '../workspaceowned.js'

export function workspaceRoleBindingController(deps: TenancyControllerDeps): Controller {
  return workspaceOwnedController('workspacerolebinding', deps.resources.workspaceRoleBindings, deps)
}
