/** The controller of roles in projects. The original has none, and its roles forget what they are made of. */
import { type Controller } from '../../controller/index.js'
import { composedRolesController } from '../composedroles/index.js'
import { type TenancyControllerDeps } from '../deps.js'

export function roleController(deps: TenancyControllerDeps): Controller {
  return composedRolesController('role', 'Role', deps.resources.roles, deps)
}
