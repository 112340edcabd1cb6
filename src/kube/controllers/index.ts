/** The controllers of the embedded API: which there are, and what each follows. */
import { type Controller, type Source } from '../../controller/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type ServiceAccountTokens } from '../authentication/serviceaccounts.js'
import { type Pod } from '../builtin/types.js'
import { type Objects } from '../objects.js'
import { type Pki } from '../pki/index.js'
import { type Clock } from '../registry/clock.js'
import { type Random } from '../registry/random.js'
import { type Catalogue } from '../registry/strategy.js'
import { CertificateReconciler } from './certificate/certificate.reconciler.js'
import { AggregationReconciler } from './clusterrole/aggregation.reconciler.js'
import { GarbageCollector } from './garbagecollector/garbagecollector.reconciler.js'
import { NamespaceReconciler } from './namespace/namespace.reconciler.js'
import { ClaimProtection, claimsOf, VolumeProtection } from './protection/protection.reconcilers.js'
import { NamespaceDefaults, TokenReconciler } from './serviceaccount/serviceaccount.reconcilers.js'
import { type Writer } from './writer.js'

export interface ControllersDeps {
  objects: Objects
  writer: Writer
  catalogue: Catalogue
  tokens: ServiceAccountTokens
  pki: Pki
  clock: Clock
  random: Random
}

const RBAC = 'rbac.authorization.k8s.io'
const ACCOUNT_NAME = 'kubernetes.io/service-account.name'

/** Those that any platform needs; `workloads.ts` has the others. */
export function kubeControllers(deps: ControllersDeps): Controller[] {
  const { objects, pki, random } = deps
  const garbage = new GarbageCollector(deps)
  const accounts = { ...deps, caPem: pki.authority.cert, random }
  return [
    { name: 'garbagecollector', reconciler: garbage, sources: [garbage.source], workers: 8 },
    {
      name: 'namespace',
      reconciler: new NamespaceReconciler(deps),
      sources: [each(objects, '', 'namespaces')],
    },
    {
      name: 'serviceaccount',
      reconciler: new NamespaceDefaults(accounts),
      // What is deleted in a namespace that stays comes back.
      sources: [
        each(objects, '', 'namespaces'),
        each(objects, '', 'serviceaccounts', ({ name, namespace }) =>
          name === 'default' ? { namespace: '', name: namespace ?? '' } : undefined,
        ),
        each(objects, '', 'configmaps', ({ name, namespace }) =>
          name === 'kube-root-ca.crt' ? { namespace: '', name: namespace ?? '' } : undefined,
        ),
      ],
    },
    {
      name: 'serviceaccount-token',
      reconciler: new TokenReconciler(accounts),
      sources: [
        each(objects, '', 'serviceaccounts'),
        each(objects, '', 'secrets', ({ namespace = '', annotations }) => {
          const name = annotations?.[ACCOUNT_NAME]
          return name === undefined ? undefined : { namespace, name }
        }),
      ],
    },
    {
      name: 'clusterrole-aggregation',
      reconciler: new AggregationReconciler(deps),
      sources: [aggregated(objects)],
    },
    {
      name: 'csrsigning',
      reconciler: new CertificateReconciler({ ...deps, authority: pki.authority }),
      sources: [each(objects, 'certificates.k8s.io', 'certificatesigningrequests')],
    },
    {
      name: 'pvc-protection',
      reconciler: new ClaimProtection(deps),
      sources: [each(objects, '', 'persistentvolumeclaims'), claimsOfPods(objects)],
    },
    {
      name: 'pv-protection',
      reconciler: new VolumeProtection(deps),
      sources: [each(objects, '', 'persistentvolumes')],
    },
  ]
}

type Metadata = KubeObject['metadata']

/** A request for every object of a resource and for each that changes; `whom` says for what else instead. */
function each(
  objects: Objects,
  group: string,
  resource: string,
  whom: (metadata: Metadata) => { namespace: string; name: string } | undefined = ({
    namespace = '',
    name = '',
  }) => ({ namespace, name }),
): Source {
  return (enqueue) =>
    objects.follow(group, resource, ({ object, previous }) => {
      const metadata = (object ?? previous)?.metadata
      const request = metadata && whom(metadata)
      if (request) enqueue(request)
    })
}

/** The claims of pods that have gone or ended. */
function claimsOfPods(objects: Objects): Source {
  return (enqueue) =>
    objects.follow('', 'pods', ({ object, previous }) => {
      const phase = (object?.['status'] as Pod['status'] | undefined)?.phase
      if (object && phase !== 'Succeeded' && phase !== 'Failed') return
      const pod = (object ?? previous) as Pod | undefined
      const namespace = pod?.metadata.namespace ?? ''
      if (pod) for (const name of claimsOf(pod)) enqueue({ namespace, name })
    })
}

/** Any change of a ClusterRole may change those that aggregate; there are few of them. */
function aggregated(objects: Objects): Source {
  return (enqueue) => {
    const aggregating = new Set<string>()
    return objects.follow(RBAC, 'clusterroles', ({ object, previous }) => {
      const name = (object ?? previous)?.metadata.name ?? ''
      if (object?.['aggregationRule'] !== undefined) aggregating.add(name)
      else aggregating.delete(name)
      for (const each of aggregating) enqueue({ namespace: '', name: each })
    })
  }
}
