/** The controllers of the platform: the one list of them. */
import { type Controller } from '../controller/index.js'
import { clusterController } from './cluster/index.js'
import { csrController } from './csr/index.js'
import { type TenancyControllerDeps } from './deps.js'
import { clusterRoleController } from './clusterrole/index.js'
import { clusterRoleBindingController } from './clusterrolebinding/index.js'
import { globalRoleController } from './globalrole/index.js'
import { globalRoleBindingController } from './globalrolebinding/index.js'
import { groupController } from './group/index.js'
import { groupBindingController } from './groupbinding/index.js'
import { jobController } from './job/index.js'
import { ldapController } from './ldap/index.js'
import { loginRecordController } from './loginrecord/index.js'
import { namespaceController } from './namespace/index.js'
import { networkIsolationControllers } from './nsnp/index.js'
import { resourceQuotaController } from './resourcequota/index.js'
import { roleController } from './role/index.js'
import { ruleGroupControllers } from './rulegroups/index.js'
import { serviceAccountController } from './serviceaccount/index.js'
import { userController } from './user/index.js'
import { workspaceController } from './workspace/index.js'
import { workspaceRoleController } from './workspacerole/index.js'
import { workspaceRoleBindingController } from './workspacerolebinding/index.js'
import { workspaceTemplateController } from './workspacetemplate/index.js'

export function platformControllers(deps: TenancyControllerDeps): Controller[] {
  return [
    // One line each, in the order of their names.
    ...clusterController(deps),
    clusterRoleController(deps),
    clusterRoleBindingController(deps),
    ...csrController(deps),
    globalRoleController(deps),
    globalRoleBindingController(deps),
    groupBindingController(deps),
    groupController(deps),
    jobController(deps),
    ...ldapController(deps),
    loginRecordController(deps),
    namespaceController(deps),
    ...networkIsolationControllers(deps),
    resourceQuotaController(deps),
    roleController(deps),
    ...ruleGroupControllers(deps),
    serviceAccountController(deps),
    userController(deps),
    workspaceController(deps),
    workspaceRoleBindingController(deps),
    workspaceRoleController(deps),
    workspaceTemplateController(deps),
  ]
}
