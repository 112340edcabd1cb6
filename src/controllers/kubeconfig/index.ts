/** Kubeconfigs of users, shared by the controllers that make them and that have them signed. */
import { CachedResource } from '../../client/cachedresource.js'
import { controllerOwner, storedIn } from '../../controller/index.js'
import { type KubeconfigMap, type KubeconfigSecret } from '../../tenancy/kubeconfigs.js'
import { type TenancyControllerDeps } from '../deps.js'
import { Credentials, SECRETS } from './credentials.js'
import { KubeconfigKeeper } from './keeper.js'
import { type SigningRequest, SIGNING_REQUESTS } from './requests.js'

const CONFIG_MAPS = { group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap' }

export interface Kubeconfigs {
  keeper: KubeconfigKeeper
  credentials: Credentials
  maps: CachedResource<KubeconfigMap>
  requests: CachedResource<SigningRequest>
}

/** Undefined when nobody can say how the cluster is reached. */
export function kubeconfigsOf(deps: TenancyControllerDeps): Kubeconfigs | undefined {
  const { resources, informers, client, kubernetes } = deps
  if (kubernetes === undefined) return undefined
  const maps = new CachedResource<KubeconfigMap>(CONFIG_MAPS, informers, client)
  const requests = new CachedResource<SigningRequest>(SIGNING_REQUESTS, informers, client)
  const credentials = new Credentials(client.resource<KubeconfigSecret>(SECRETS))
  const keeper = new KubeconfigKeeper({
    address: kubernetes,
    maps: storedIn(maps),
    requests: storedIn(requests),
    credentials,
    ownerFor: (user) => controllerOwner(resources.users.type, user),
    now: Date.now,
  })
  return { keeper, credentials, maps, requests }
}
