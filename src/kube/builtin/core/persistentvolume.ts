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
import { hostPathFaults, nfsFaults } from '../pods/volumes.js'
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
      faults.push(forbidden('spec.persistentvolumesource', 'is immutable after creation'))
    }
    faults.push(...immutable('spec.volumeMode', after.volumeMode, before.volumeMode))
    if (before.nodeAffinity) {
      faults.push(...immutable('spec.nodeAffinity', after.nodeAffinity, before.nodeAffinity))
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
  const sources = sourcesOf(spec)
  if (sources.length === 0) faults.push(required('spec', 'must specify a volume type'))
  for (const more of sources.slice(1)) {
    faults.push(forbidden(`spec.${more}`, 'may not specify more than 1 volume type'))
  }
  if (spec.hostPath) faults.push(...hostPathFaults('spec.hostPath', spec.hostPath))
  if (spec.nfs) faults.push(...nfsFaults('spec.nfs', spec.nfs))
  if (spec.local) {
    if (!spec.local.path) faults.push(required('spec.local.path'))
    if (!spec.nodeAffinity) {
      faults.push(required('spec.nodeAffinity', 'Local volume requires node affinity'))
    }
  }
  if (spec.hostPath?.path === '/' && spec.persistentVolumeReclaimPolicy === 'Recycle') {
    const why = "may not be 'recycle' for a hostPath mount of '/'"
    faults.push(forbidden('spec.persistentVolumeReclaimPolicy', why))
  }
  if (spec.storageClassName) faults.push(...name('subdomain', 'spec.storageClassName', spec.storageClassName))
  if (spec.volumeMode) faults.push(...oneOf('spec.volumeMode', spec.volumeMode, ['Block', 'Filesystem']))
  return faults
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
