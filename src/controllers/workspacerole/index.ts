/** The workspace role controller (iam-tenant.md §7.4). */
import { type Controller } from '../../controller/index.js'
import { type TenancyControllerDeps } from '../deps.js'
import { workspaceOwnedController } from '../workspaceowned.js'

export function workspaceRoleController(deps: TenancyControllerDeps): Controller {
  return workspaceOwnedController('workspacerole', deps.resources.workspaceRoles, deps)
}
