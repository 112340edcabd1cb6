/** The controllers of the embedded API: which there are, and what each follows. */
import { type Controller, type Request, type Source } from '../../controller/index.js'
import { type ServiceAccountTokens } from '../authentication/serviceaccounts.js'
import { type Pod } from '../builtin/types.js'
import { type Objects, prefixOf } from '../objects.js'
import { type Pki } from '../pki/index.js'
import { type Clock } from '../registry/clock.js'
import { type Random } from '../registry/random.js'
import { parse } from '../registry/served.js'
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
          name === 'default' ? { namespace: '', name: namespace } : undefined,
        ),
        each(objects, '', 'configmaps', ({ name, namespace }) =>
          name === 'kube-root-ca.crt' ? { namespace: '', name: namespace } : undefined,
        ),
      ],
    },
    {
      name: 'serviceaccount-token',
      reconciler: new TokenReconciler(accounts),
      sources: [each(objects, '', 'serviceaccounts'), accountsOfTokens(objects)],
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

/**
 * A request for every object of a resource and for each that changes; `whom` says for what else instead. What it needs
 * is in the key: nothing is parsed.
 */
function each(
  objects: Objects,
  group: string,
  resource: string,
  whom: (where: Request) => Request | undefined = (where) => where,
): Source {
  const prefix = `${prefixOf(group, resource)}/`
  return (enqueue) =>
    objects.followEntries(prefix, ({ key }) => {
      const slash = key.indexOf('/', prefix.length)
      const namespace = slash < 0 ? '' : key.slice(prefix.length, slash)
      const request = whom({ namespace, name: key.slice(slash < 0 ? prefix.length : slash + 1) })
      if (request) enqueue(request)
    })
}

/** The accounts that Secrets are tokens of. */
function accountsOfTokens(objects: Objects): Source {
  return (enqueue) =>
    objects.follow('', 'secrets', ({ object, previous }) => {
      const { namespace = '', annotations } = (object ?? previous)?.metadata ?? {}
      const name = annotations?.[ACCOUNT_NAME]
      if (name !== undefined) enqueue({ namespace, name })
    })
}

/** In the stored bytes of a pod that mounts a claim. */
const CLAIM = Buffer.from('"persistentVolumeClaim":')

/** The claims of pods that have gone or ended. */
function claimsOfPods(objects: Objects): Source {
  return (enqueue) =>
    objects.followEntries(`${prefixOf('', 'pods')}/`, ({ type, value }) => {
      if (!value.includes(CLAIM)) return
      const pod = parse(value) as Pod
      if (type === 'put' && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed') return
      for (const name of claimsOf(pod)) enqueue({ namespace: pod.metadata.namespace ?? '', name })
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
