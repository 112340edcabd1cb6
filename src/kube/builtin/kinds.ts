/** The one list of kinds with rules of their own. What is missing here is checked by the schema only. */
import {
  mutatingWebhooks,
  mutatingWebhooksBeta,
  validatingWebhooks,
  validatingWebhooksBeta,
} from './admissionregistration/rules.js'
import { controllerRevision } from './apps/controllerrevision.js'
import { daemonSet } from './apps/daemonset.js'
import { deployment } from './apps/deployment.js'
import { replicaSet, replicationController } from './apps/replicaset.js'
import { statefulSet } from './apps/statefulset.js'
import { autoscalerV1, autoscalerV2, autoscalerV2beta1 } from './autoscaling/rules.js'
import { cronJob } from './batch/cronjob.js'
import { job } from './batch/job.js'
import {
  apiService,
  certificateSigningRequest,
  certificateSigningRequestBeta,
  lease,
  priorityClass,
  runtimeClass,
} from './cluster.js'
import { namespace, node } from './core/cluster.js'
import { configMap, secret, serviceAccount } from './core/configuration.js'
import { endpoints } from './core/endpoints.js'
import { event, eventV1 } from './core/event.js'
import { limitRange, resourceQuota } from './core/limits.js'
import { persistentVolume } from './core/persistentvolume.js'
import { persistentVolumeClaim } from './core/persistentvolumeclaim.js'
import { pod, podTemplate } from './core/pod.js'
import { serviceRules } from './core/service.js'
import { type ServiceAddresses } from './core/serviceaddresses.js'
import { type ResourceFacts } from './data.js'
import { flowSchema, priorityLevel } from './flowcontrol/rules.js'
import { endpointSlice, endpointSliceBeta } from './networking/endpointslice.js'
import { ingress, ingressBeta, ingressClass } from './networking/ingress.js'
import { networkPolicy } from './networking/networkpolicy.js'
import { podSecurityPolicy } from './policy/podsecuritypolicy.js'
import { podDisruptionBudget } from './policy/rules.js'
import { clusterRole, clusterRoleBinding, role, roleBinding } from './rbac/rules.js'
import { type KindRules } from './rules.js'
import { csiDriver, csiNode, storageClass, volumeAttachment } from './storage/rules.js'

/** By `group Kind`, or `group/version Kind` where versions differ. */
const RULES: Readonly<Record<string, KindRules>> = {
  ' ConfigMap': configMap,
  ' Endpoints': endpoints,
  ' Event': event,
  ' LimitRange': { ...limitRange, allowCreateOnUpdate: true },
  ' Namespace': namespace,
  ' Node': node,
  ' PersistentVolume': persistentVolume,
  ' PersistentVolumeClaim': persistentVolumeClaim,
  ' Pod': pod,
  ' PodTemplate': podTemplate,
  ' ReplicationController': replicationController,
  ' ResourceQuota': resourceQuota,
  ' Secret': secret,
  ' ServiceAccount': serviceAccount,
  'admissionregistration.k8s.io/v1 MutatingWebhookConfiguration': mutatingWebhooks,
  'admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration': validatingWebhooks,
  'admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration': mutatingWebhooksBeta,
  'admissionregistration.k8s.io/v1beta1 ValidatingWebhookConfiguration': validatingWebhooksBeta,
  // Rules of their own are added by kube/apiextensions.
  'apiextensions.k8s.io CustomResourceDefinition': { hasGeneration: true, allowUnconditionalUpdate: false },
  'apiregistration.k8s.io APIService': apiService,
  'apps ControllerRevision': controllerRevision,
  'apps DaemonSet': daemonSet,
  'apps Deployment': deployment,
  'apps ReplicaSet': replicaSet,
  'apps StatefulSet': statefulSet,
  'autoscaling HorizontalPodAutoscaler': autoscalerV2,
  'autoscaling/v1 HorizontalPodAutoscaler': autoscalerV1,
  'autoscaling/v2beta1 HorizontalPodAutoscaler': autoscalerV2beta1,
  'batch CronJob': cronJob,
  'batch Job': job,
  'certificates.k8s.io CertificateSigningRequest': certificateSigningRequest,
  'certificates.k8s.io/v1beta1 CertificateSigningRequest': certificateSigningRequestBeta,
  'coordination.k8s.io Lease': lease,
  'discovery.k8s.io EndpointSlice': endpointSlice,
  'discovery.k8s.io/v1beta1 EndpointSlice': endpointSliceBeta,
  'events.k8s.io Event': eventV1,
  'extensions Ingress': ingressBeta,
  'flowcontrol.apiserver.k8s.io FlowSchema': flowSchema,
  'flowcontrol.apiserver.k8s.io PriorityLevelConfiguration': priorityLevel,
  'networking.k8s.io Ingress': ingress,
  'networking.k8s.io IngressClass': ingressClass,
  'networking.k8s.io NetworkPolicy': networkPolicy,
  'networking.k8s.io/v1beta1 Ingress': ingressBeta,
  'node.k8s.io RuntimeClass': runtimeClass,
  'policy PodDisruptionBudget': podDisruptionBudget,
  'policy PodSecurityPolicy': podSecurityPolicy,
  'rbac.authorization.k8s.io ClusterRole': clusterRole,
  'rbac.authorization.k8s.io ClusterRoleBinding': clusterRoleBinding,
  'rbac.authorization.k8s.io Role': role,
  'rbac.authorization.k8s.io RoleBinding': roleBinding,
  'scheduling.k8s.io PriorityClass': priorityClass,
  'storage.k8s.io CSIDriver': csiDriver,
  'storage.k8s.io CSINode': csiNode,
  'storage.k8s.io StorageClass': storageClass,
  'storage.k8s.io VolumeAttachment': volumeAttachment,
}

export function rulesOf({ group, version, kind }: ResourceFacts, addresses: ServiceAddresses): KindRules {
  if (group === '' && kind === 'Service') return serviceRules(addresses)
  return RULES[`${group}/${version} ${kind}`] ?? RULES[`${group} ${kind}`] ?? {}
}
