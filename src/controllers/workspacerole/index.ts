/** The workspace role controller (iam-tenant.md §7.4). */
import { type Controller } from '../../controller/index.js'
import { composedRolesController } from '../composedroles/index.js'
import { type TenancyControllerDeps } from '../deps.js'
import { federated, FEDERATED_WORKSPACE_ROLE } from '../federation/index.js'
import { inTurn } from '../inturn.js'
import { workspaceOwnedController } from '../workspaceowned.js'

const NAME = 'workspacerole'

export function workspaceRoleController(deps: TenancyControllerDeps): Controller {
  const { workspaceRoles } = deps.resources
  const controller = inTurn(
    workspaceOwnedController(NAME, workspaceRoles, deps),
    composedRolesController(NAME, 'WorkspaceRole', workspaceRoles, deps),
  )
  return federated(deps, workspaceRoles, FEDERATED_WORKSPACE_ROLE, controller)
}
