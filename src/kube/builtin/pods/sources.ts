/**
 * What the sources of storage must say, the same for a pod's volume and for a persistent volume. What runs no program
 * here, as all of them but a few, is checked for what is required.
 */
import { type Faults, forbidden, invalidValue, name, oneOf, required, unsupported } from '../faults.js'

type Source = Readonly<Record<string, unknown>>
type Check = (field: string, source: Source) => Faults

const text = (source: Source, part: string): string => (typeof source[part] === 'string' ? source[part] : '')

const needs =
  (...parts: readonly string[]): Check =>
  (field, source) =>
    parts.flatMap((part) => {
      const value = source[part]
      const there = Array.isArray(value) ? value.length > 0 : (value ?? '') !== ''
      return there ? [] : [required(`${field}.${part}`)]
    })

function partition(field: string, source: Source): Faults {
  const value = source['partition']
  return typeof value === 'number' && (value < 0 || value > 255)
    ? [invalidValue(`${field}.partition`, value, 'must be between 0 and 255, inclusive')]
    : []
}

const both =
  (...checks: readonly Check[]): Check =>
  (field, source) =>
    checks.flatMap((check) => check(field, source))

const HOST_PATH_TYPES = [
  ...['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate'],
  ...['File', 'FileOrCreate', 'Socket'],
]

const hostPath: Check = (field, source) => {
  const path = text(source, 'path')
  if (path === '') return [required(`${field}.path`)]
  return [
    ...(path.split('/').includes('..') ? [invalidValue(`${field}.path`, path, "must not contain '..'")] : []),
    ...oneOf(`${field}.type`, text(source, 'type'), HOST_PATH_TYPES),
  ]
}

const nfs: Check = (field, source) => {
  const faults = needs('server')(field, source)
  const path = text(source, 'path')
  if (path === '') faults.push(required(`${field}.path`))
  if (!path.startsWith('/')) {
    faults.push(invalidValue(`${field}.path`, path, 'must be an absolute path'))
  }
  return faults
}

const INITIATORS: Readonly<Record<string, RegExp>> = {
  iqn: /iqn\.\d{4}-\d{2}\.([A-Za-z0-9.-]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui\.[0-9A-Fa-f]{16}$/,
  naa: /^naa\.[0-9A-Fa-f]{32}$/,
}

const iscsi: Check = (field, source) => {
  const faults = needs('targetPortal')(field, source)
  const iqn = text(source, 'iqn')
  const form = INITIATORS[iqn.slice(0, 3)]
  if (iqn === '') faults.push(required(`${field}.iqn`))
  else if (form === undefined) {
    faults.push(invalidValue(`${field}.iqn`, iqn, 'must be valid format starting with iqn, eui, or naa'))
  } else if (!form.test(iqn)) faults.push(invalidValue(`${field}.iqn`, iqn, 'must be valid format'))
  const lun = source['lun']
  if (typeof lun === 'number' && (lun < 0 || lun > 255)) {
    faults.push(invalidValue(`${field}.lun`, lun, 'must be between 0 and 255, inclusive'))
  }
  if ((source['chapAuthDiscovery'] || source['chapAuthSession']) && !source['secretRef']) {
    faults.push(required(`${field}.secretRef`))
  }
  return faults
}

const flocker: Check = (field, source) => {
  const [dataset, uuid] = [text(source, 'datasetName'), text(source, 'datasetUUID')]
  if (dataset === '' && uuid === '') {
    return [required(field, 'one of datasetName and datasetUUID is required')]
  }
  const faults: Faults = []
  if (dataset !== '' && uuid !== '') {
    faults.push(
      invalidValue(field, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'),
    )
  }
  if (dataset.includes('/')) {
    faults.push(invalidValue(`${field}.datasetName`, dataset, "must not contain '/'"))
  }
  return faults
}

const fc: Check = (field, source) => {
  const count = (part: string): number => (source[part] as unknown[] | undefined)?.length ?? 0
  const faults: Faults = []
  if (count('targetWWNs') === 0 && count('wwids') === 0) {
    faults.push(required(`${field}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'))
  }
  if (count('targetWWNs') > 0 && count('wwids') > 0) {
    const why = 'targetWWNs and wwids can not be specified simultaneously'
    faults.push(invalidValue(`${field}.targetWWNs`, source['targetWWNs'], why))
  }
  if (count('targetWWNs') === 0) return faults
  const lun = source['lun']
  if (lun === undefined) faults.push(required(`${field}.lun`, 'lun is required if targetWWNs is specified'))
  else if (typeof lun === 'number' && (lun < 0 || lun > 255)) {
    faults.push(invalidValue(`${field}.lun`, lun, 'must be between 0 and 255, inclusive'))
  }
  return faults
}

const quobyte: Check = (field, source) => {
  const faults: Faults = []
  const registry = text(source, 'registry')
  const pairs = 'must be a host:port pair or multiple pairs separated by commas'
  if (registry === '') faults.push(required(`${field}.registry`, pairs))
  else {
    for (const pair of registry.split(',')) {
      if (!/^[^:]*:[^:]*$|^\[.*\]:[^:]*$/.test(pair)) {
        faults.push(invalidValue(`${field}.registry`, registry, pairs))
      }
    }
  }
  return [...faults, ...needs('volume')(field, source)]
}

const MANAGED_DISK = [
  '/subscriptions/',
  '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}',
] as const
const BLOB_DISK = [
  'https://',
  'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd',
] as const

const azureDisk: Check = (field, source) => {
  const faults = needs('diskName', 'diskURI')(field, source)
  const [caching, kind] = [source['cachingMode'], source['kind']]
  if (typeof caching === 'string') {
    faults.push(...oneOf(`${field}.cachingMode`, caching, ['None', 'ReadOnly', 'ReadWrite']))
  }
  if (typeof kind === 'string') {
    faults.push(...oneOf(`${field}.kind`, kind, ['Dedicated', 'Managed', 'Shared']))
    const [start, form] = kind === 'Managed' ? MANAGED_DISK : BLOB_DISK
    const uri = text(source, 'diskURI')
    if (!uri.startsWith(start)) faults.push(unsupported(`${field}.diskURI`, uri, [form]))
  }
  return faults
}

/** Of a CSI driver: letters of any case. */
export function csiDriver(field: string, driver: string): Faults {
  const faults: Faults = driver === '' ? [required(field)] : []
  if (driver.length > 63) {
    faults.push({ reason: 'FieldValueTooLong', field, message: 'Too long: must have at most 63 bytes' })
  }
  return [...faults, ...name('subdomain', field, driver.toLowerCase(), driver)]
}

/** In the order in which they are looked at, which decides whom a second one is told of. */
export const SOURCES: Readonly<Record<string, Check>> = {
  emptyDir: () => [],
  hostPath,
  gitRepo: needs('repository'),
  gcePersistentDisk: both(needs('pdName'), partition),
  awsElasticBlockStore: both(needs('volumeID'), partition),
  secret: () => [],
  nfs,
  iscsi,
  glusterfs: needs('endpoints', 'path'),
  flocker,
  persistentVolumeClaim: needs('claimName'),
  rbd: needs('monitors', 'image'),
  cinder: needs('volumeID'),
  cephfs: needs('monitors'),
  quobyte,
  downwardAPI: () => [],
  fc,
  flexVolume: needs('driver'),
  configMap: () => [],
  azureFile: needs('secretName', 'shareName'),
  vsphereVolume: needs('volumePath'),
  photonPersistentDisk: needs('pdID'),
  portworxVolume: needs('volumeID'),
  azureDisk,
  storageos: needs('volumeName'),
  projected: () => [],
  scaleIO: needs('gateway', 'system', 'volumeName'),
  local: () => [],
  csi: () => [],
  ephemeral: () => [],
}

/** How a second source is spelt where it is refused. */
const SPELT: Readonly<Record<string, string>> = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' }

export const ONE_SOURCE = 'may not specify more than 1 volume type'

/**
 * Faults of the sources, of which there must be one.
 *
 * @param order of the sources
 * @param more what else is to be said of one
 */
export function sourceFaults(
  field: string,
  holder: Source,
  order: readonly string[],
  more: (field: string, part: string) => Faults,
): Faults {
  const given = order.filter((part) => holder[part] !== undefined)
  const [first, ...others] = given
  if (first === undefined) return [required(field, 'must specify a volume type')]
  const at = `${field}.${first === 'gcePersistentDisk' ? 'persistentDisk' : first}`
  return [
    ...(SOURCES[first]?.(at, holder[first] as Source) ?? []),
    ...more(at, first),
    ...others.map((part) => forbidden(`${field}.${SPELT[part] ?? part}`, ONE_SOURCE)),
  ]
}
