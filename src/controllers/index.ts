/** The controllers of identity and tenancy: the one list of them. */
import { type Controller } from '../controller/index.js'
import { type TenancyControllerDeps } from './deps.js'
import { loginRecordController } from './loginrecord/index.js'
import { namespaceController } from './namespace/index.js'
import { userController } from './user/index.js'
import { workspaceController } from './workspace/index.js'
import { workspaceTemplateController } from './workspacetemplate/index.js'

export function platformControllers(deps: TenancyControllerDeps): Controller[] {
  return [
    // One line each, in the order of their names.
    loginRecordController(deps),
    namespaceController(deps),
    userController(deps),
    workspaceController(deps),
    workspaceTemplateController(deps),
  ]
}
