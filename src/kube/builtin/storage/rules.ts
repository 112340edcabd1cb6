/** storage.k8s.io: StorageClass, CSIDriver, CSINode, VolumeAttachment; in both versions. */
import { qualifiedNameFaults } from '../../../apimachinery/meta/names.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import {
  duplicate,
  type Faults,
  forbidden,
  go,
  goTexts,
  immutable,
  invalidValue,
  name,
  oneOf,
  qualifiedName,
  required,
  same,
} from '../faults.js'
import { printed } from '../../../apimachinery/errors/faults.js'
import { type KindRules } from '../rules.js'
import { type StringMap } from '../types.js'

interface StorageClass extends KubeObject {
  provisioner: string
  parameters?: StringMap
  reclaimPolicy?: string
  volumeBindingMode?: string
  allowedTopologies?: TopologyTerm[]
}

interface TopologyTerm {
  matchLabelExpressions?: { key: string; values?: string[] | null }[]
}

const classView = (object: object) => object as StorageClass

/** All parameters together, in bytes. */
const PARAMETERS_LIMIT = 256 * 1024

export const storageClass: KindRules = {
  defaults(object) {
    const own = classView(object)
    own.reclaimPolicy ??= 'Delete'
    own.volumeBindingMode ??= 'Immediate'
  },
  validate(object) {
    const { provisioner, parameters = {}, reclaimPolicy, volumeBindingMode } = classView(object)
    const faults: Faults = []
    if (provisioner === '') faults.push(required('provisioner'))
    else
      faults.push(
        ...qualifiedName('provisioner', provisioner.toLowerCase()).map((fault) => ({
          ...fault,
          message: fault.message.replace(
            JSON.stringify(provisioner.toLowerCase()),
            JSON.stringify(provisioner),
          ),
        })),
      )
    let size = 0
    for (const [key, value] of Object.entries(parameters)) {
      if (key === '') faults.push(invalidValue('parameters', key, 'field can not be empty.'))
      size += Buffer.byteLength(key) + Buffer.byteLength(value)
    }
    if (size > PARAMETERS_LIMIT) {
      const message = `Too long: must have at most ${PARAMETERS_LIMIT} bytes`
      faults.push({ reason: 'FieldValueTooLong', field: 'parameters', message })
    }
    faults.push(...oneOf('reclaimPolicy', reclaimPolicy, ['Delete', 'Retain']))
    faults.push(...oneOf('volumeBindingMode', volumeBindingMode, ['Immediate', 'WaitForFirstConsumer']))
    const terms = classView(object).allowedTopologies ?? []
    terms.forEach((term, i) => {
      const at = `allowedTopologies[${i}]`
      faults.push(...topologyFaults(at, term))
      const isEmpty = (term.matchLabelExpressions ?? []).length === 0
      if (isEmpty || terms.slice(0, i).some((other) => same(keysOf(other), keysOf(term)))) {
        faults.push(duplicate(`${at}.matchLabelExpressions`, ''))
      }
    })
    return faults
  },
  validateUpdate(object, previous) {
    const [after, before] = [classView(object), classView(previous)]
    const why = 'updates to %s are forbidden.'
    const fixed = ['parameters', 'provisioner', 'reclaimPolicy'] as const
    return [
      ...fixed
        .filter((field) => !same(after[field], before[field]))
        .map((field) => forbidden(field, why.replace('%s', field))),
      ...immutable('volumeBindingMode', after.volumeBindingMode, before.volumeBindingMode),
    ]
  },
}

const keysOf = (term: TopologyTerm) =>
  Object.fromEntries(
    (term.matchLabelExpressions ?? []).map(({ key, values }) => [key, [...(values ?? [])].sort()]),
  )

function topologyFaults(field: string, { matchLabelExpressions = [] }: TopologyTerm): Faults {
  const keys = new Set<string>()
  return matchLabelExpressions.flatMap(({ key, values }, i) => {
    const at = `${field}.matchLabelExpressions[${i}]`
    const faults: Faults = []
    const seen = new Set<string>()
    if (!values || values.length === 0) faults.push(required(`${at}.values`))
    values?.forEach((value, j) => {
      if (seen.has(value)) faults.push(duplicate(`${at}.values[${j}]`, value))
      seen.add(value)
    })
    faults.push(...qualifiedName(`${at}.key`, key))
    if (keys.has(key)) faults.push(duplicate(`${at}.key`, key))
    keys.add(key)
    return faults
  })
}

interface CSIDriver extends KubeObject {
  spec: {
    attachRequired?: boolean
    podInfoOnMount?: boolean
    volumeLifecycleModes?: string[]
    fsGroupPolicy?: string
  }
}

const driverView = (object: object) => object as CSIDriver

/** Behind gates that are closed. */
const GATED = ['storageCapacity', 'requiresRepublish', 'tokenRequests'] as const

function dropGated(object: KubeObject): void {
  const spec = driverView(object).spec as { [field in (typeof GATED)[number]]?: unknown }
  for (const field of GATED) delete spec[field]
}

export const csiDriver: KindRules = {
  allowUnconditionalUpdate: false,
  changesOnly: true,
  prepareForCreate: dropGated,
  prepareForUpdate: dropGated,
  defaults(object) {
    const { spec } = driverView(object)
    spec.attachRequired ??= true
    spec.podInfoOnMount ??= false
    spec.volumeLifecycleModes ??= ['Persistent']
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
  },
  validate(object) {
    const { spec, metadata } = driverView(object)
    return [
      ...(metadata.name ? driverName('metadata.name', metadata.name) : []),
      ...(spec.volumeLifecycleModes ?? []).flatMap((mode) =>
        oneOf('spec.volumeLifecycleModes', mode, ['Persistent', 'Ephemeral']),
      ),
      ...(spec.fsGroupPolicy === undefined
        ? []
        : oneOf('spec.fsGroupPolicy', spec.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType'])),
    ]
  },
  validateUpdate(object, previous) {
    const [after, before] = [driverView(object).spec, driverView(previous).spec]
    return immutable('spec', after, before)
  },
}

const LOWER_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

function driverName(field: string, name: string): Faults {
  const faults: Faults = []
  if (name === '') faults.push(required(field))
  if (name.length > 63) {
    faults.push({ reason: 'FieldValueTooLong', field, message: 'Too long: must have at most 63 bytes' })
  }
  if (!LOWER_SUBDOMAIN.test(name.toLowerCase())) faults.push(invalidValue(field, name, SUBDOMAIN_TEXT))
  return faults
}

interface CSINode extends KubeObject {
  spec: { drivers: CSINodeDriver[] | null }
}

interface CSINodeDriver {
  name: string
  nodeID: string
  topologyKeys?: string[] | null
  allocatable?: { count?: number }
}

/** As Go prints it. */
function goDriver({ name: driver, nodeID, topologyKeys }: CSINodeDriver): unknown {
  const parts = [`Name:${JSON.stringify(driver)}`, `NodeID:${JSON.stringify(nodeID)}`]
  const keys = `TopologyKeys:${printed(goTexts(topologyKeys ?? undefined))}`
  return go(
    `storage.CSINodeDriver{${[...parts, keys, 'Allocatable:(*storage.VolumeNodeResources)(nil)'].join(', ')}}`,
  )
}

export const csiNode: KindRules = {
  allowUnconditionalUpdate: false,
  validate(object) {
    const seen = new Set<string>()
    return ((object as unknown as CSINode).spec.drivers ?? []).flatMap(
      ({ name: driver, nodeID, topologyKeys }, i) => {
        const keys = topologyKeys ?? []
        const at = `spec.drivers[${i}]`
        const faults = driverName(`${at}.name`, driver)
        if (nodeID === '') faults.push(required(`${at}.nodeID`))
        keys.forEach((key, j) => {
          // The driver is named, not its key.
          if (key === '') faults.push(required(at))
          if (keys.indexOf(key) < j) faults.push(duplicate(at, key))
          faults.push(...qualifiedNameFaults(key).map((why) => invalidValue(at, goTexts(keys), why)))
        })
        if (seen.has(driver)) faults.push(duplicate(`${at}.name`, driver))
        seen.add(driver)
        return faults
      },
    )
  },
  // Drivers come and go; one that is there stays as it is.
  validateUpdate(object, previous) {
    const before = (previous as unknown as CSINode).spec.drivers ?? []
    return ((object as unknown as CSINode).spec.drivers ?? []).flatMap((driver) => {
      const old = before.find(({ name }) => name === driver.name)
      return old === undefined || same(old, driver)
        ? []
        : [invalidValue('CSINodeDriver', goDriver(driver), 'field is immutable')]
    })
  },
}

interface VolumeAttachment extends KubeObject {
  spec: {
    attacher: string
    nodeName: string
    source: { persistentVolumeName?: string; inlineVolumeSpec?: object }
  }
}

const attachmentView = (object: object) => object as VolumeAttachment

export const volumeAttachment: KindRules = {
  allowUnconditionalUpdate: false,
  changesOnly: true,
  validate(object) {
    const { attacher, source } = attachmentView(object).spec
    const volume = source.persistentVolumeName
    return [
      ...attachmentFaults(object),
      ...name('subdomain', 'spec.attacher', attacher.toLowerCase(), attacher),
      ...(volume ? name('subdomain', 'spec.source.persistentVolumeName', volume) : []),
    ]
  },
  validateUpdate: (object, previous) => [
    ...attachmentFaults(object),
    ...immutable('spec', attachmentView(object).spec, attachmentView(previous).spec),
  ],
}

/** Of an attachment in any state; names came to be checked later, and only where they are new. */
function attachmentFaults(object: KubeObject): Faults {
  const { attacher, nodeName, source } = attachmentView(object).spec
  const faults: Faults = attacher === '' ? [required('spec.attacher')] : []
  if (source.inlineVolumeSpec === undefined && source.persistentVolumeName === undefined) {
    const why = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
    faults.push(required('spec.source', why))
  }
  if (source.persistentVolumeName === '') faults.push(required('spec.source.persistentVolumeName'))
  return [...faults, ...name('subdomain', 'spec.nodeName', nodeName)]
}
