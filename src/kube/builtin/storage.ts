/**
 * In which version each resource is stored, and under which key.
 *
 * One storage version per resource; the others convert. A resource not listed is stored in the version it is
 * served in. The stored version may be one that is not served.
 */
import { type GroupVersion } from '../../apimachinery/meta/types.js'
import { type ResourceFacts } from './data.js'

const V1 = (group: string): GroupVersion => ({ group, version: 'v1' })

/** By plural: no two groups of Kubernetes 1.20 serve different resources of one name. */
const STORED: Readonly<Record<string, GroupVersion>> = {
  apiservices: V1('apiregistration.k8s.io'),
  certificatesigningrequests: V1('certificates.k8s.io'),
  clusterrolebindings: V1('rbac.authorization.k8s.io'),
  clusterroles: V1('rbac.authorization.k8s.io'),
  cronjobs: V1('batch'),
  csidrivers: V1('storage.k8s.io'),
  csinodes: V1('storage.k8s.io'),
  customresourcedefinitions: V1('apiextensions.k8s.io'),
  endpointslices: V1('discovery.k8s.io'),
  // events.k8s.io shows the same objects under other names.
  events: V1(''),
  // The only version that holds all there is; v1 keeps the rest in annotations.
  horizontalpodautoscalers: { group: 'autoscaling', version: 'v2' },
  ingressclasses: V1('networking.k8s.io'),
  ingresses: V1('networking.k8s.io'),
  leases: V1('coordination.k8s.io'),
  mutatingwebhookconfigurations: V1('admissionregistration.k8s.io'),
  poddisruptionbudgets: V1('policy'),
  priorityclasses: V1('scheduling.k8s.io'),
  rolebindings: V1('rbac.authorization.k8s.io'),
  roles: V1('rbac.authorization.k8s.io'),
  runtimeclasses: V1('node.k8s.io'),
  storageclasses: V1('storage.k8s.io'),
  validatingwebhookconfigurations: V1('admissionregistration.k8s.io'),
  volumeattachments: V1('storage.k8s.io'),
}

export function storageOf({ group, version, name }: ResourceFacts): GroupVersion {
  return STORED[name] ?? { group, version }
}

/** `/registry/apps/deployments`, `/registry/core/pods` */
export function keyPrefixOf(facts: ResourceFacts): string {
  const { group } = storageOf(facts)
  return `/registry/${group === '' ? 'core' : group}/${facts.name}`
}
