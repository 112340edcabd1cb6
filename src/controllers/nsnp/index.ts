/** The network isolation controller: who may reach the pods of a project (iam-tenant.md §7.13). */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { equal } from '../../apimachinery/json/value.js'
import { CachedResource } from '../../client/cachedresource.js'
import {
  type Controller,
  controllerOwner,
  fromChanges,
  fromInformer,
  type Request,
  storedIn,
} from '../../controller/index.js'
import { WORKSPACE } from '../../tenancy/names.js'
import { type TenancyControllerDeps } from '../deps.js'
import { whenSynced } from '../synced.js'
import { tellingFailures } from '../telling.js'
import { snatAddresses } from './isolation.js'
import { NetworkIsolationReconciler } from './nsnp.reconciler.js'
import {
  type NamespaceNetworkPolicyObject,
  type NetworkPolicyObject,
  PREFIX,
  type ServiceObject,
} from './types.js'

const NAME = 'nsnp'
const PROJECT_POLICIES = {
  group: 'network.kubesphere.io',
  version: 'v1alpha1',
  resource: 'namespacenetworkpolicies',
  kind: 'NamespaceNetworkPolicy',
}
const POLICIES = {
  group: 'networking.k8s.io',
  version: 'v1',
  resource: 'networkpolicies',
  kind: 'NetworkPolicy',
}
const core = (resource: string, kind: string) => ({ group: '', version: 'v1', resource, kind })

/** None unless the configuration enables it. */
export function networkIsolationControllers(deps: TenancyControllerDeps): Controller[] {
  const { resources, informers, client, events, options } = deps
  if (!options.network.enableNetworkPolicy) return []
  const { namespaces, workspaces } = resources
  const of = <T extends KubeObject>(type: typeof PROJECT_POLICIES): CachedResource<T> =>
    new CachedResource<T>(type, informers, client)
  const projectPolicies = of<NamespaceNetworkPolicyObject>(PROJECT_POLICIES)
  const policies = of<NetworkPolicyObject>(POLICIES)
  const services = of<ServiceObject>(core('services', 'Service'))
  const nodes = of<KubeObject>(core('nodes', 'Node'))

  const reconciler = new NetworkIsolationReconciler({
    namespaces: storedIn(namespaces),
    workspaces: storedIn(workspaces),
    projectPolicies: storedIn(projectPolicies),
    policies: storedIn(policies),
    ownerFor: (policy) => controllerOwner(projectPolicies.type, policy),
    services: (name, namespace) => services.get(name, namespace),
    nodeAddresses: () => snatAddresses(nodes.list()),
    allowed: options.network.nsnpOptions.allowedIngressNamespaces,
  })
  const requestFor = (namespace: string): Request => ({ namespace: '', name: namespace })
  const sources = [
    fromInformer(namespaces.informer),
    fromChanges(workspaces.informer, function* ({ object }) {
      for (const { name } of namespaces.informer.store.byLabel(WORKSPACE, object.name)) yield requestFor(name)
    }),
    fromChanges(projectPolicies.informer, ({ object }) => [requestFor(object.namespace)]),
    // Edited or deleted by hand.
    fromChanges(policies.informer, ({ object: { name, namespace } }) =>
      name.startsWith(PREFIX) ? [requestFor(namespace)] : [],
    ),
    fromChanges(services.informer, function* ({ object, previous }) {
      const [now, before] = [object, previous].map((cached) => cached && services.object(cached).spec)
      if (previous && equal(now, before)) return
      for (const namespace of projectPolicies.informer.store.namespaces()) yield requestFor(namespace)
    }),
    fromChanges(nodes.informer, function* ({ object, previous }) {
      const [now, before] = [object, previous].map((cached) =>
        snatAddresses(cached ? [nodes.object(cached)] : []),
      )
      if (equal(now, before)) return
      for (const { namespace } of policies.informer.store.byName()) yield requestFor(namespace)
    }),
  ]
  const read = [namespaces, workspaces, projectPolicies, policies, services, nodes].map(
    ({ informer }) => informer,
  )
  return [
    {
      name: NAME,
      reconciler: tellingFailures(events, NAME, namespaces, reconciler),
      sources: sources.map((source) => whenSynced(read, source)),
    },
  ]
}
