/** Assembles resources.kubesphere.io/v1alpha3. */
import { type ApiGroup } from '../../../serving/route.js'
import { imageRoutes } from './images.js'
import { resourceRoutes } from './routes.js'
import { KindStores, type StoresDeps } from '../../../listing/stores.js'

export { KindStores, type StoresDeps } from '../../../listing/stores.js'

export function resourcesGroup(stores: KindStores): ApiGroup {
  return {
    root: '/kapis/resources.kubesphere.io/v1alpha3',
    title: 'Resources of the cluster, searched, sorted and paged',
    errors: 'text',
    routes: [...imageRoutes(stores), ...resourceRoutes(stores)],
  }
}

export function createKindStores(deps: StoresDeps): KindStores {
  return new KindStores(deps)
}
