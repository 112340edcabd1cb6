/** Assembles resources.kubesphere.io/v1alpha2. */
import { type ApiGroup } from '../../../serving/route.js'
import { type ResourcesV2Deps } from './deps.js'
import { userToolRoutes } from './usertools.js'

export function resourcesV2Group(deps: ResourcesV2Deps): ApiGroup {
  return {
    root: '/kapis/resources.kubesphere.io/v1alpha2',
    title: 'Tools of users',
    errors: 'message',
    routes: [...userToolRoutes(deps)],
  }
}
