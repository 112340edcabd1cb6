/** The controllers of identity and tenancy: the one list of them. */
import { type Controller } from '../controller/index.js'
import { type TenancyControllerDeps } from './deps.js'
import { namespaceController } from './namespace/index.js'
import { workspaceController } from './workspace/index.js'
import { workspaceTemplateController } from './workspacetemplate/index.js'

export function platformControllers(deps: TenancyControllerDeps): Controller[] {
  return [
    // One line each, in the order of their names.
    namespaceController(deps),
    workspaceController(deps),
    workspaceTemplateController(deps),
  ]
}
