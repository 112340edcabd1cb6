/** The cluster controller: what members of the federation say of users. Nothing happens without `multicluster.enable`. */
import { createTransport } from '../../client/http.js'
import { parseKubeconfig } from '../../client/kubeconfig.js'
import { RestClient } from '../../client/rest.js'
import { type Controller, fromInformer, storedIn } from '../../controller/index.js'
import { Mentions } from '../../tenancy/mentions.js'
import { GRANTED_CLUSTERS, HOST_CLUSTER, USER_REF } from '../../tenancy/names.js'
import { CLUSTER_ROLE_BINDINGS } from '../../tenancy/resources.js'
import { type BindingObject, type ClusterObject, userNamesIn } from '../../tenancy/types.js'
import { type TenancyControllerDeps } from '../deps.js'
import { whenSynced } from '../synced.js'
import { tellingFailures } from '../telling.js'
import { grantedClusters, GrantedClustersReconciler } from './grantedclusters.reconciler.js'

const NAME = 'cluster'
/** How long a member may take to answer. */
const LIMIT_MS = 30_000

export function clusterController(deps: TenancyControllerDeps): Controller[] {
  const { resources, events, options, client } = deps
  if (!options.multicluster.enable) return []
  const { users, clusters } = resources
  const byCluster = new Mentions(users, grantedClusters, GRANTED_CLUSTERS)
  const reconciler = new GrantedClustersReconciler({
    get: (name) => clusters.get(name),
    user: (name) => users.get(name),
    usersOf: (cluster) => byCluster.of(cluster),
    namedIn: (cluster, signal) => namedIn(cluster, client, signal),
    commit: storedIn(users).commit,
    resyncMs: options.multicluster.clusterControllerResyncPeriod,
  })
  return [
    {
      name: NAME,
      reconciler: tellingFailures(events, NAME, clusters, reconciler),
      // Two at once would write the same users.
      workers: 1,
      sources: [whenSynced([users.informer, clusters.informer], fromInformer(clusters.informer))],
    },
  ]
}

async function namedIn(
  { metadata, spec }: Readonly<ClusterObject>,
  hostClient: RestClient,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  if (metadata.labels?.[HOST_CLUSTER] !== undefined) return boundIn(hostClient, signal)
  const text = Buffer.from(spec?.connection?.kubeconfig ?? '', 'base64').toString('utf8')
  const memberTransport = createTransport(parseKubeconfig(text, { selfContained: true }))
  try {
    return await boundIn(new RestClient({ transport: memberTransport, timeoutMs: LIMIT_MS }), signal)
  } finally {
    await memberTransport.close()
  }
}

async function boundIn(client: RestClient, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const named = new Set<string>()
  const bindings = client.resource<BindingObject>(CLUSTER_ROLE_BINDINGS)
  for await (const page of bindings.pages({ labelSelector: USER_REF, signal }))
    for (const binding of page) for (const name of userNamesIn(binding)) named.add(name)
  return named
}
