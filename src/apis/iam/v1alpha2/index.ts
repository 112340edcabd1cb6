/** Assembles iam.kubesphere.io/v1alpha2. */
import { type ApiGroup } from '../../../serving/route.js'
import { type IamDeps } from './deps.js'
import { groupBindingRoutes } from './groupbindings.js'
import { groupRoutes } from './groups.js'
import { memberRoutes } from './members.js'
import { permissionRoutes } from './permissions.js'
import { roleBindingRoutes } from './rolebindings.js'
import { roleRoutes } from './roles.js'
import { userRoutes } from './users.js'

export function iamGroup(deps: IamDeps): ApiGroup {
  return {
    root: '/kapis/iam.kubesphere.io/v1alpha2',
    title: 'Users, roles, members',
    errors: 'text',
    routes: [
      ...userRoutes(deps),
      ...roleRoutes(deps),
      ...memberRoutes(deps),
      ...groupRoutes(deps),
      ...groupBindingRoutes(deps),
      ...roleBindingRoutes(deps),
      ...permissionRoutes(deps),
    ],
  }
}
