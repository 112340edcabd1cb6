/** Assembles metering.kubesphere.io/v1alpha1. */
import { type ApiGroup } from '../../../serving/route.js'
import { type MeteringDeps } from './deps.js'
import { meteringRoutes } from './routes.js'

export { type MeteringDeps } from './deps.js'

export function meteringGroup(deps: MeteringDeps): ApiGroup {
  return {
    root: '/kapis/metering.kubesphere.io/v1alpha1',
    title: 'Consumption',
    errors: 'text',
    routes: meteringRoutes(deps),
  }
}
