/** v1 PersistentVolume. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import {
  type Faults,
  forbidden,
  go,
  immutable,
  invalidValue,
  name,
  oneOf,
  required,
  same,
  unsupported,
} from '../faults.js'
import { defaultVolumeSource } from '../pods/defaults.js'
import { nodeSelectorFaults } from '../pods/validation.js'
import { csiDriver, SOURCES, sourceFaults } from '../pods/sources.js'
import { type KindRules } from '../rules.js'
import { type NodeSelectorTerm, type ObjectReference, type ResourceList } from '../types.js'
import { isNegative } from '../wire/quantity.js'
import { ACCESS_MODES } from './persistentvolumeclaim.js'

interface PersistentVolumeSpec {
  capacity?: ResourceList
  accessModes?: string[]
  claimRef?: ObjectReference
  persistentVolumeReclaimPolicy?: string
  storageClassName?: string
  mountOptions?: string[]
  volumeMode?: string
  nodeAffinity?: { required?: { nodeSelectorTerms: NodeSelectorTerm[] | null } }
  hostPath?: { path: string; type?: string }
  nfs?: { server: string; path: string }
  local?: { path: string }
  [source: string]: unknown
}

interface PersistentVolume extends KubeObject {
  spec: PersistentVolumeSpec
  status: { phase?: string }
}

const view = (object: object) => object as PersistentVolume

/** What of a spec is not a source of storage. */
const SETTINGS = new Set([
  ...['capacity', 'accessModes', 'claimRef', 'persistentVolumeReclaimPolicy', 'storageClassName'],
  ...['mountOptions', 'volumeMode', 'nodeAffinity'],
])

export const persistentVolume: KindRules = {
  defaults(object) {
    const { spec, status } = view(object)
    status.phase ??= 'Pending'
    spec.persistentVolumeReclaimPolicy ??= 'Retain'
    spec.volumeMode ??= 'Filesystem'
    if (spec.hostPath) spec.hostPath.type ??= ''
    defaultVolumeSource(spec)
  },
  prepareForCreate(object) {
    view(object).status = { phase: 'Pending' }
  },
  validate: (object) => specFaults(view(object).spec),
  validateUpdate(object, previous) {
    const [after, before] = [view(object).spec, view(previous).spec]
    const faults: Faults = []
    const source = ({ ...spec }: PersistentVolumeSpec) => sourcesOf(spec).map((key) => [key, spec[key]])
    if (!same(source(after), source(before))) {
      faults.push(
        forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'),
      )
    }
    faults.push(...immutable('volumeMode', after.volumeMode, before.volumeMode))
    if (before.nodeAffinity) {
      faults.push(...immutable('nodeAffinity', after.nodeAffinity, before.nodeAffinity))
    }
    return faults
  },
}

function sourcesOf(spec: PersistentVolumeSpec): string[] {
  return Object.keys(spec).filter((key) => !SETTINGS.has(key))
}

function specFaults(spec: PersistentVolumeSpec): Faults {
  const faults: Faults = []
  const modes = spec.accessModes ?? []
  if (modes.length === 0) faults.push(required('spec.accessModes'))
  for (const mode of modes) {
    if (!ACCESS_MODES.includes(mode)) {
      faults.push(unsupported('spec.accessModes', mode, [...ACCESS_MODES].sort()))
    }
  }
  faults.push(...capacityFaults(spec.capacity))
  if (spec.persistentVolumeReclaimPolicy) {
    const policies = ['Delete', 'Recycle', 'Retain']
    faults.push(...oneOf('spec.persistentVolumeReclaimPolicy', spec.persistentVolumeReclaimPolicy, policies))
  }
  if (spec.nodeAffinity) {
    const field = 'spec.nodeAffinity.required'
    if (!spec.nodeAffinity.required) faults.push(required(field, 'must specify required node constraints'))
    else faults.push(...nodeSelectorFaults(field, spec.nodeAffinity.required.nodeSelectorTerms))
  }
  faults.push(...sourceFaults('spec', spec, ORDER, (field, part) => OWN[part]?.(field, spec) ?? []))
  if (spec.hostPath?.path === '/' && spec.persistentVolumeReclaimPolicy === 'Recycle') {
    const why = "may not be 'recycle' for a hostPath mount of '/'"
    faults.push(forbidden('spec.persistentVolumeReclaimPolicy', why))
  }
  if (spec.storageClassName) faults.push(...name('subdomain', 'spec.storageClassName', spec.storageClassName))
  if (spec.volumeMode !== undefined)
    faults.push(...oneOf('spec.volumeMode', spec.volumeMode, ['Block', 'Filesystem']))
  return faults
}

const ORDER = [
  ...[
    'hostPath',
    'gcePersistentDisk',
    'awsElasticBlockStore',
    'glusterfs',
    'flocker',
    'nfs',
    'rbd',
    'quobyte',
  ],
  ...['cephfs', 'iscsi', 'cinder', 'fc', 'flexVolume', 'azureFile', 'vsphereVolume', 'photonPersistentDisk'],
  ...['portworxVolume', 'azureDisk', 'scaleIO', 'local', 'storageos', 'csi'],
].filter((part) => SOURCES[part] !== undefined)

interface CsiSource {
  driver: string
  volumeHandle: string
  [secret: string]: unknown
}

/** What only a persistent volume says of a source. */
const OWN: Readonly<Record<string, (field: string, spec: PersistentVolumeSpec) => Faults>> = {
  local(field, { local, nodeAffinity }) {
    const faults: Faults = []
    if (!local?.path) faults.push(required(`${field}.path`))
    else if (local.path.split('/').includes('..')) {
      faults.push(invalidValue(`${field}.path`, local.path, "must not contain '..'"))
    }
    if (!nodeAffinity) faults.push(required('spec.nodeAffinity', 'Local volume requires node affinity'))
    return faults
  },
  csi(field, { csi }) {
    const source = csi as CsiSource
    const faults = csiDriver(`${field}.driver`, source.driver)
    if (source.volumeHandle === '') faults.push(required(`${field}.volumeHandle`))
    const refs = ['controllerPublishSecretRef', 'controllerExpandSecretRef', 'nodePublishSecretRef']
    for (const part of refs) {
      const secret = source[part] as { name?: string; namespace?: string } | undefined
      if (!secret) continue
      // The position of the secret is not named where its texts are wrong.
      // And a blank is part of one field's name.
      const at = part === 'nodePublishSecretRef' ? `${field}.${part} ` : `${field}.${part}`
      if (!secret.name) faults.push(required(`${at}.name`))
      else faults.push(...name('label', `${field}.name`, secret.name))
      if (!secret.namespace) faults.push(required(`${at}.namespace`))
      else faults.push(...name('label', `${field}.namespace`, secret.namespace))
    }
    return faults
  },
}

function capacityFaults(capacity: ResourceList | undefined): Faults {
  const faults: Faults = []
  const names = Object.keys(capacity ?? {})
  if (names.length === 0) faults.push(required('spec.capacity'))
  if (capacity?.['storage'] === undefined || names.length > 1) {
    const printed =
      capacity === undefined ? go('core.ResourceList(nil)') : go(`core.ResourceList{${names.join(', ')}}`)
    faults.push(unsupported('spec.capacity', printed, ['storage']))
  }
  for (const [resource, quantity] of Object.entries(capacity ?? {})) {
    if (quantity === '0' || isNegative(quantity)) {
      faults.push(invalidValue(`spec.capacity[${resource}]`, quantity, 'must be greater than zero'))
    }
  }
  return faults
}
