/** Faults of a pod's volumes: names, and the sources that are used without a cloud. */
import { duplicate, type Faults, forbidden, invalidValue, oneOf, required, requiredName } from '../faults.js'
import { type Volume } from '../types.js'
import { isNegative } from '../wire/quantity.js'

export function volumeFaults(field: string, volumes: Volume[]): { names: Set<string>; faults: Faults } {
  const names = new Set<string>()
  const faults = volumes.flatMap((volume, i) => {
    const at = `${field}[${i}]`
    const own = [...sourceFaults(at, volume), ...requiredName('label', `${at}.name`, volume.name)]
    if (names.has(volume.name)) own.push(duplicate(`${at}.name`, volume.name))
    names.add(volume.name)
    return own
  })
  return { names, faults }
}

function sourceFaults(field: string, volume: Volume): Faults {
  const sources = Object.keys(volume).filter((key) => key !== 'name')
  const first = sources[0]
  if (first === undefined) return [required(field, 'must specify a volume type')]
  return [
    ...(CHECKS[first]?.(`${field}.${first}`, volume) ?? []),
    ...sources
      .slice(1)
      .map((more) => forbidden(`${field}.${more}`, 'may not specify more than 1 volume type')),
  ]
}

type Check = (field: string, volume: Volume) => Faults

const CHECKS: Readonly<Record<string, Check>> = {
  emptyDir: (field, { emptyDir }) =>
    emptyDir?.sizeLimit !== undefined && isNegative(emptyDir.sizeLimit)
      ? [forbidden(`${field}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
      : [],
  hostPath: (field, { hostPath }) => hostPathFaults(field, hostPath),
  secret: (field, { secret }) => [
    ...(secret?.secretName ? [] : [required(`${field}.secretName`)]),
    ...modeFaults(`${field}.defaultMode`, secret?.defaultMode),
    ...itemFaults(`${field}.items`, secret?.items),
  ],
  configMap: (field, { configMap }) => [
    ...(configMap?.name ? [] : [required(`${field}.name`)]),
    ...modeFaults(`${field}.defaultMode`, configMap?.defaultMode),
    ...itemFaults(`${field}.items`, configMap?.items),
  ],
  persistentVolumeClaim: (field, { persistentVolumeClaim: claim }) =>
    claim?.claimName ? [] : [required(`${field}.claimName`)],
  nfs: (field, { nfs }) => nfsFaults(field, nfs),
  projected: (field, { projected }) => modeFaults(`${field}.defaultMode`, projected?.defaultMode),
  downwardAPI: (field, { downwardAPI }) => modeFaults(`${field}.defaultMode`, downwardAPI?.defaultMode),
}

const HOST_PATH_TYPES = [
  ...['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate'],
  ...['File', 'FileOrCreate', 'Socket'],
]

/** Also a source of persistent volumes. */
export function hostPathFaults(field: string, source: { path: string; type?: string } | undefined): Faults {
  if (!source?.path) return [required(`${field}.path`)]
  return [
    ...(source.path.split('/').includes('..')
      ? [invalidValue(`${field}.path`, source.path, "must not contain '..'")]
      : []),
    ...oneOf(`${field}.type`, source.type ?? '', HOST_PATH_TYPES),
  ]
}

/** Also a source of persistent volumes. */
export function nfsFaults(field: string, source: { server: string; path: string } | undefined): Faults {
  const faults: Faults = []
  if (!source?.server) faults.push(required(`${field}.server`))
  if (!source?.path) faults.push(required(`${field}.path`))
  else if (!source.path.startsWith('/')) {
    faults.push(invalidValue(`${field}.path`, source.path, 'must be an absolute path'))
  }
  return faults
}

function modeFaults(field: string, mode: number | undefined): Faults {
  return mode !== undefined && (mode < 0 || mode > 0o777)
    ? [invalidValue(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')]
    : []
}

function itemFaults(
  field: string,
  items: { key: string; path: string; mode?: number }[] | undefined,
): Faults {
  return (items ?? []).flatMap(({ key, path, mode }, i) => [
    ...(key === '' ? [required(`${field}[${i}].key`)] : []),
    ...(path === '' ? [required(`${field}[${i}].path`)] : []),
    ...(path.startsWith('/') ? [invalidValue(`${field}[${i}].path`, path, 'must be a relative path')] : []),
    ...(path.split('/').includes('..')
      ? [invalidValue(`${field}[${i}].path`, path, "must not contain '..'")]
      : []),
    ...modeFaults(`${field}[${i}].mode`, mode),
  ])
}
