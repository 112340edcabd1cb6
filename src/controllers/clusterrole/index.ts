/** The controller of cluster roles. The original has none, and its roles forget what they are made of. */
import { type Controller } from '../../controller/index.js'
import { composedRolesController } from '../composedroles/index.js'
import { type TenancyControllerDeps } from '../deps.js'

export function clusterRoleController(deps: TenancyControllerDeps): Controller {
  return composedRolesController('clusterrole', 'ClusterRole', deps.resources.clusterRoles, deps)
}
