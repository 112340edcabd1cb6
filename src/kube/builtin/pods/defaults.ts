/** Defaults of a pod's spec, alone and in templates. */
import {
  type Container,
  type DownwardItem,
  type Handler,
  type PersistentVolumeClaimSpec,
  type Pod,
  type PodSpec,
  type PodTemplateSpec,
  type Probe,
  type Volume,
} from '../types.js'

export function defaultPod(pod: Pod): void {
  defaultPodSpec(pod.spec)
  pod.spec.enableServiceLinks ??= true
  for (const { resources } of containersOf(pod.spec)) {
    // What has a limit and no request asks for its limit. Templates keep what was written.
    for (const [name, limit] of Object.entries(resources.limits ?? {})) {
      resources.requests ??= {}
      resources.requests[name] ??= limit
    }
  }
  const { status } = pod
  if (status.podIP !== undefined && status.podIPs === undefined) status.podIPs = [{ ip: status.podIP }]
}

export function defaultPodTemplate(template: PodTemplateSpec): void {
  // They are added to pods that run, by a subresource.
  delete template.spec.ephemeralContainers
  defaultPodSpec(template.spec)
}

export function containersOf(spec: PodSpec): Container[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? [])]
}

export function defaultPodSpec(spec: PodSpec): void {
  for (const volume of spec.volumes ?? []) defaultVolume(volume)
  for (const container of [...containersOf(spec), ...(spec.ephemeralContainers ?? [])]) {
    defaultContainer(container, spec.hostNetwork ?? false)
  }
  spec.restartPolicy ??= 'Always'
  spec.terminationGracePeriodSeconds ??= 30
  spec.dnsPolicy ??= 'ClusterFirst'
  // Two spellings of one field; both are always shown.
  const account = spec.serviceAccountName ?? spec.serviceAccount
  if (account !== undefined) spec.serviceAccountName = spec.serviceAccount = account
  spec.securityContext ??= {}
  spec.schedulerName ??= 'default-scheduler'
}

function defaultContainer(container: Container, hostNetwork: boolean): void {
  for (const port of container.ports ?? []) {
    port.protocol ??= 'TCP'
    if (hostNetwork) port.hostPort ??= port.containerPort
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ??= 'v1'
  }
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe) defaultProbe(probe)
  }
  for (const handler of [container.lifecycle?.postStart, container.lifecycle?.preStop]) {
    if (handler) defaultHandler(handler)
  }
  // Behind a closed gate there is but one value.
  if (container.securityContext?.procMount !== undefined) container.securityContext.procMount = 'Default'
  container.terminationMessagePath ??= '/dev/termination-log'
  container.terminationMessagePolicy ??= 'File'
  container.imagePullPolicy ??= pullPolicyOf(container.image ?? '')
}

const IMAGE =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][-.a-zA-Z0-9]*[a-zA-Z0-9])(?::\d+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@[A-Za-z][\w.+-]*:[0-9a-fA-F]{32,})?$/

/** `Always` for the tag `latest` and for no tag; a digest counts as a tag. */
function pullPolicyOf(image: string): string {
  // What is no reference to an image has no tag either.
  if (!IMAGE.test(image) || /^[a-f0-9]{64}$/.test(image)) return 'IfNotPresent'
  const last = image.slice(image.lastIndexOf('/') + 1)
  if (last.includes('@')) return 'IfNotPresent'
  const tag = last.includes(':') ? last.slice(last.indexOf(':') + 1) : 'latest'
  return tag === 'latest' ? 'Always' : 'IfNotPresent'
}

function defaultProbe(probe: Probe): void {
  defaultHandler(probe)
  probe.timeoutSeconds ??= 1
  probe.periodSeconds ??= 10
  probe.successThreshold ??= 1
  probe.failureThreshold ??= 3
}

function defaultHandler({ httpGet }: Handler): void {
  if (!httpGet) return
  httpGet.path ??= '/'
  httpGet.scheme ??= 'HTTP'
}

/** 0644 */
const READABLE = 420

function defaultVolume(volume: Volume): void {
  const sources = Object.keys(volume).filter((key) => key !== 'name')
  if (sources.length === 0) volume.emptyDir = {}
  if (volume.secret) volume.secret.defaultMode ??= READABLE
  if (volume.configMap) volume.configMap.defaultMode ??= READABLE
  if (volume.hostPath) volume.hostPath.type ??= ''
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= READABLE
    defaultDownward(volume.downwardAPI.items)
  }
  if (volume.projected) {
    volume.projected.defaultMode ??= READABLE
    for (const source of volume.projected.sources ?? []) {
      defaultDownward(source.downwardAPI?.items)
      if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600
    }
  }
  if (volume.ephemeral?.volumeClaimTemplate) defaultClaimSpec(volume.ephemeral.volumeClaimTemplate.spec)
  defaultVolumeSource(volume)
}

function defaultDownward(items: DownwardItem[] | undefined): void {
  for (const { fieldRef } of items ?? []) if (fieldRef) fieldRef.apiVersion ??= 'v1'
}

const SOURCES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  azureDisk: { cachingMode: 'ReadWrite', kind: 'Shared', fsType: 'ext4', readOnly: false },
  iscsi: { iscsiInterface: 'default' },
  rbd: { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' },
  scaleIO: { storageMode: 'ThinProvisioned', fsType: 'xfs' },
}

/** Sources that pods and persistent volumes share. */
export function defaultVolumeSource(sources: Record<string, unknown>): void {
  for (const [source, defaults] of Object.entries(SOURCES)) {
    const given = sources[source] as Record<string, unknown> | undefined
    if (!given) continue
    for (const [field, value] of Object.entries(defaults)) given[field] ??= value
  }
}

export function defaultClaimSpec(spec: PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= 'Filesystem'
}
