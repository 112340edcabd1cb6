/** The controller of global roles (iam-tenant.md §7.4). */
import { type Controller } from '../../controller/index.js'
import { composedRolesController } from '../composedroles/index.js'
import { type TenancyControllerDeps } from '../deps.js'
import { federated, FEDERATED_GLOBAL_ROLE } from '../federation/index.js'

export function globalRoleController(deps: TenancyControllerDeps): Controller {
  const { globalRoles } = deps.resources
  const controller = composedRolesController('globalrole', 'GlobalRole', globalRoles, deps)
  return federated(deps, globalRoles, FEDERATED_GLOBAL_ROLE, controller)
}
