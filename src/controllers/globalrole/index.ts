/** The controller of global roles (iam-tenant.md §7.4). */
import { type Controller } from '../../controller/index.js'
import { composedRolesController } from '../composedroles/index.js'
import { type TenancyControllerDeps } from '../deps.js'

export function globalRoleController(deps: TenancyControllerDeps): Controller {
  return composedRolesController('globalrole', 'GlobalRole', deps.resources.globalRoles, deps)
}
