/**
 * The parts of the built-in kinds that rules and cells read, as TypeScript sees them.
 *
 * Decoding has checked every type against the schema, so views of an object as one of these hold.
 */
import { type KubeObject, type ObjectMeta } from '../../apimachinery/meta/types.js'

export type StringMap = Record<string, string>
/** Quantities by resource name. */
export type ResourceList = Record<string, string>
export type IntOrString = number | string

export interface LabelSelectorRequirement {
  key: string
  operator: string
  values?: string[]
}

export interface LabelSelector {
  matchLabels?: StringMap
  matchExpressions?: LabelSelectorRequirement[]
}

export interface Condition {
  type: string
  status: string
  reason?: string
  message?: string
}

export interface ObjectReference {
  kind?: string
  namespace?: string
  name?: string
  uid?: string
  apiVersion?: string
  fieldPath?: string
}

export interface ContainerPort {
  name?: string
  hostPort?: number
  containerPort: number
  protocol?: string
  hostIP?: string
}

export interface KeySelector {
  name?: string
  key: string
}

export interface EnvVarSource {
  fieldRef?: { apiVersion?: string; fieldPath: string }
  resourceFieldRef?: { containerName?: string; resource: string; divisor?: string }
  configMapKeyRef?: KeySelector
  secretKeyRef?: KeySelector
}

export interface EnvVar {
  name: string
  value?: string
  valueFrom?: EnvVarSource
}

export interface Handler {
  exec?: { command?: string[] }
  httpGet?: {
    path?: string
    port: IntOrString
    scheme?: string
    host?: string
    httpHeaders?: { name: string; value: string }[]
  }
  tcpSocket?: { port: IntOrString }
}

export interface Probe extends Handler {
  initialDelaySeconds?: number
  timeoutSeconds?: number
  periodSeconds?: number
  successThreshold?: number
  failureThreshold?: number
}

export interface ResourceRequirements {
  limits?: ResourceList
  requests?: ResourceList
}

export interface SeccompProfile {
  type: string
  localhostProfile?: string
}

export interface SecurityContext {
  privileged?: boolean
  runAsUser?: number
  runAsGroup?: number
  runAsNonRoot?: boolean
  allowPrivilegeEscalation?: boolean
  capabilities?: { add?: string[]; drop?: string[] }
  procMount?: string
  seccompProfile?: SeccompProfile
}

export interface Container {
  name: string
  image?: string
  command?: string[]
  args?: string[]
  workingDir?: string
  ports?: ContainerPort[]
  env?: EnvVar[]
  envFrom?: { prefix?: string; configMapRef?: { name?: string }; secretRef?: { name?: string } }[]
  resources: ResourceRequirements
  volumeMounts?: {
    name: string
    mountPath: string
    readOnly?: boolean
    subPath?: string
    subPathExpr?: string
    mountPropagation?: string
  }[]
  volumeDevices?: { name: string; devicePath: string }[]
  livenessProbe?: Probe
  readinessProbe?: Probe
  startupProbe?: Probe
  lifecycle?: { postStart?: Handler; preStop?: Handler }
  terminationMessagePath?: string
  terminationMessagePolicy?: string
  imagePullPolicy?: string
  securityContext?: SecurityContext
}

export interface DownwardItem {
  path: string
  fieldRef?: { apiVersion?: string; fieldPath: string }
  resourceFieldRef?: { containerName?: string; resource: string }
  mode?: number
}

/** `name` and one member for the source. */
export interface Volume {
  name: string
  secret?: {
    secretName?: string
    defaultMode?: number
    items?: { key: string; path: string; mode?: number }[]
  }
  configMap?: { name?: string; defaultMode?: number; items?: { key: string; path: string; mode?: number }[] }
  downwardAPI?: { defaultMode?: number; items?: DownwardItem[] }
  projected?: {
    defaultMode?: number
    sources?: {
      downwardAPI?: { items?: DownwardItem[] }
      serviceAccountToken?: { expirationSeconds?: number; path: string }
      secret?: { name?: string; items?: { key: string; path: string; mode?: number }[] }
      configMap?: { name?: string; items?: { key: string; path: string; mode?: number }[] }
    }[]
  }
  hostPath?: { path: string; type?: string }
  emptyDir?: { sizeLimit?: string; medium?: string }
  persistentVolumeClaim?: { claimName: string }
  nfs?: { server: string; path: string }
  ephemeral?: { volumeClaimTemplate?: { metadata: ObjectMeta; spec: PersistentVolumeClaimSpec } }
  [source: string]: unknown
}

export interface Toleration {
  key?: string
  operator?: string
  value?: string
  effect?: string
  tolerationSeconds?: number
}

export interface NodeSelectorTerm {
  matchExpressions?: LabelSelectorRequirement[]
  matchFields?: LabelSelectorRequirement[]
}

export interface PodAffinityTerm {
  labelSelector?: LabelSelector
  namespaces?: string[]
  topologyKey: string
}

export interface PodAffinity {
  requiredDuringSchedulingIgnoredDuringExecution?: PodAffinityTerm[]
  preferredDuringSchedulingIgnoredDuringExecution?: { weight: number; podAffinityTerm: PodAffinityTerm }[]
}

export interface Affinity {
  nodeAffinity?: {
    requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms: NodeSelectorTerm[] | null }
    preferredDuringSchedulingIgnoredDuringExecution?: { weight: number; preference: NodeSelectorTerm }[]
  }
  podAffinity?: PodAffinity
  podAntiAffinity?: PodAffinity
}

export interface PodSpec {
  volumes?: Volume[]
  initContainers?: Container[]
  containers: Container[] | null
  ephemeralContainers?: Container[]
  restartPolicy?: string
  terminationGracePeriodSeconds?: number
  activeDeadlineSeconds?: number
  dnsPolicy?: string
  nodeSelector?: StringMap
  serviceAccountName?: string
  serviceAccount?: string
  automountServiceAccountToken?: boolean
  nodeName?: string
  hostNetwork?: boolean
  hostPID?: boolean
  shareProcessNamespace?: boolean
  securityContext?: Record<string, unknown> & {
    runAsUser?: number
    runAsGroup?: number
    fsGroup?: number
    supplementalGroups?: number[]
    sysctls?: { name: string; value: string }[]
    fsGroupChangePolicy?: string
    seccompProfile?: SeccompProfile
  }
  imagePullSecrets?: { name?: string }[]
  hostname?: string
  subdomain?: string
  affinity?: Affinity
  schedulerName?: string
  tolerations?: Toleration[]
  hostAliases?: { ip?: string; hostnames?: string[] }[]
  priorityClassName?: string
  priority?: number
  dnsConfig?: { nameservers?: string[]; searches?: string[]; options?: { name?: string }[] }
  readinessGates?: { conditionType: string }[]
  runtimeClassName?: string
  enableServiceLinks?: boolean
  preemptionPolicy?: string
  overhead?: ResourceList
  topologySpreadConstraints?: {
    maxSkew: number
    topologyKey: string
    whenUnsatisfiable: string
    labelSelector?: LabelSelector
  }[]
}

export interface ContainerState {
  waiting?: { reason?: string }
  running?: { startedAt: string | null }
  terminated?: { exitCode: number; signal?: number; reason?: string; finishedAt?: string | null }
}

export interface ContainerStatus {
  name: string
  state?: ContainerState
  lastState?: ContainerState
  ready: boolean
  restartCount: number
}

export interface Pod extends KubeObject {
  spec: PodSpec
  status: {
    phase?: string
    conditions?: Condition[]
    reason?: string
    hostIP?: string
    podIP?: string
    podIPs?: { ip?: string }[]
    nominatedNodeName?: string
    startTime?: string
    initContainerStatuses?: ContainerStatus[]
    containerStatuses?: ContainerStatus[]
    qosClass?: string
  }
}

export interface PodTemplateSpec {
  metadata: ObjectMeta
  spec: PodSpec
}

export interface PersistentVolumeClaimSpec {
  accessModes?: string[]
  selector?: LabelSelector
  resources: ResourceRequirements
  volumeName?: string
  storageClassName?: string
  volumeMode?: string
  dataSource?: { apiGroup?: string | null; kind: string; name: string }
}

export interface PersistentVolumeClaim extends KubeObject {
  spec: PersistentVolumeClaimSpec
  status: { phase?: string; accessModes?: string[]; capacity?: ResourceList }
}

/** Deployment, ReplicaSet, StatefulSet, DaemonSet and ReplicationController as far as they agree. */
export interface Workload extends KubeObject {
  spec: {
    replicas?: number
    selector: LabelSelector | null
    template: PodTemplateSpec
    minReadySeconds?: number
    revisionHistoryLimit?: number
  }
  status: Record<string, number | undefined>
}

export interface ServicePort {
  name?: string
  protocol?: string
  appProtocol?: string
  port: number
  targetPort: IntOrString
  nodePort?: number
}

export interface Service extends KubeObject {
  spec: {
    ports?: ServicePort[]
    selector?: StringMap
    clusterIP?: string
    clusterIPs?: string[]
    type?: string
    externalIPs?: string[]
    sessionAffinity?: string
    sessionAffinityConfig?: { clientIP?: { timeoutSeconds?: number } }
    loadBalancerIP?: string
    loadBalancerSourceRanges?: string[]
    externalName?: string
    externalTrafficPolicy?: string
    healthCheckNodePort?: number
    publishNotReadyAddresses?: boolean
    ipFamilyPolicy?: string
    ipFamilies?: string[]
  }
  status: { loadBalancer: { ingress?: { ip?: string; hostname?: string }[] } }
}
