/** Faults of a pod's volumes: names, and one source each. */
import { duplicate, type Faults, forbidden, invalidValue, name, required, requiredName } from '../faults.js'
import { type Volume } from '../types.js'
import { isNegative } from '../wire/quantity.js'
import { downwardItemFaults, relativePath } from './containers.js'
import { csiDriver, ONE_SOURCE, SOURCES, sourceFaults } from './sources.js'

/** @returns the names of the volumes without fault: only they can be mounted */
export function volumeFaults(field: string, volumes: Volume[]): { names: Set<string>; faults: Faults } {
  const names = new Set<string>()
  const faults = volumes.flatMap((volume, i) => {
    const at = `${field}[${i}]`
    const own = sourceFaults(at, volume, ORDER, (source, part) => CHECKS[part]?.(source, volume) ?? [])
    if (volume.name === '') own.push(required(`${at}.name`))
    else own.push(...requiredName('label', `${at}.name`, volume.name))
    if (names.has(volume.name)) own.push(duplicate(`${at}.name`, volume.name))
    if (own.length === 0) names.add(volume.name)
    return own
  })
  return { names, faults }
}

const ORDER = Object.keys(SOURCES).filter((part) => part !== 'local')

type Check = (field: string, volume: Volume) => Faults

const CHECKS: Readonly<Record<string, Check>> = {
  emptyDir: (field, { emptyDir }) =>
    emptyDir?.sizeLimit !== undefined && isNegative(emptyDir.sizeLimit)
      ? [forbidden(`${field}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
      : [],
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
  projected: (field, { projected }) => [
    ...modeFaults(`${field}.defaultMode`, projected?.defaultMode),
    ...projectionFaults(field, projected?.sources ?? []),
  ],
  downwardAPI: (field, { downwardAPI }) => [
    ...modeFaults(`${field}.defaultMode`, downwardAPI?.defaultMode),
    ...downwardItemFaults(field, downwardAPI?.items ?? []),
  ],
  csi: (field, { csi }) => {
    const source = csi as { driver: string; nodePublishSecretRef?: { name?: string } }
    const secret = source.nodePublishSecretRef
    return [
      ...csiDriver(`${field}.driver`, source.driver),
      // The blank is part of the field's name.
      ...(secret && !secret.name ? [required(`${field}.nodePublishSecretRef .name`)] : []),
      ...(secret?.name ? name('subdomain', `${field}.name`, secret.name) : []),
    ]
  },
}

type Projection = NonNullable<NonNullable<Volume['projected']>['sources']>[number]

const MIN_EXPIRATION = 600
const MAX_EXPIRATION = 2 ** 32

function projectionFaults(field: string, sources: readonly Projection[]): Faults {
  return sources.flatMap((source, i) => {
    const at = `${field}.sources[${i}]`
    const faults: Faults = []
    for (const part of ['secret', 'configMap'] as const) {
      const held = source[part]
      if (!held) continue
      if (!held.name) faults.push(required(`${at}.${part}.name`))
      faults.push(...itemFaults(`${at}.${part}.items`, held.items))
    }
    if (source.downwardAPI)
      faults.push(...downwardItemFaults(`${at}.downwardAPI`, source.downwardAPI.items ?? []))
    const token = source.serviceAccountToken
    if (token) {
      const seconds = token.expirationSeconds ?? 0
      const expires = `${at}.serviceAccountToken.expirationSeconds`
      if (seconds < MIN_EXPIRATION) {
        faults.push(invalidValue(expires, seconds, 'may not specify a duration less than 10 minutes'))
      }
      if (seconds > MAX_EXPIRATION) {
        faults.push(invalidValue(expires, seconds, 'may not specify a duration larger than 2^32 seconds'))
      }
      if (token.path === '') faults.push(required(`${field}.path`))
    }
    if (Object.values(source).filter((each) => each !== undefined).length > 1)
      faults.push(forbidden(at, ONE_SOURCE))
    return faults
  })
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
    ...relativePath(`${field}[${i}].path`, path),
    ...modeFaults(`${field}[${i}].mode`, mode),
  ])
}
