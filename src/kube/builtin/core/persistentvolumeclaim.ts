/** v1 PersistentVolumeClaim. */
import {
  type Faults,
  forbidden,
  immutable,
  labelSelector,
  name,
  required,
  same,
  unsupported,
} from '../faults.js'
import { defaultClaimSpec } from '../pods/defaults.js'
import { type KindRules } from '../rules.js'
import { type PersistentVolumeClaim, type PersistentVolumeClaimSpec } from '../types.js'
import { compareQuantities, isNegative } from '../wire/quantity.js'
import { invalidValue } from '../faults.js'

const view = (object: object) => object as PersistentVolumeClaim

export const persistentVolumeClaim: KindRules = {
  defaults: (object) => defaultClaim(view(object)),
  prepareForCreate(object) {
    view(object).status = { phase: 'Pending' }
  },
  validate: (object) => specFaults(view(object).spec),
  validateUpdate(object, previous, context) {
    if (context.subresource === 'status') return []
    const [after, before] = [view(object), view(previous)]
    return [
      ...updateFaults(after, before),
      ...immutable('volumeMode', after.spec.volumeMode, before.spec.volumeMode),
    ]
  },
}

export function defaultClaim(claim: PersistentVolumeClaim): void {
  defaultClaimSpec(claim.spec)
  claim.status.phase ??= 'Pending'
}

export const ACCESS_MODES = ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany']

function specFaults(spec: PersistentVolumeClaimSpec): Faults {
  const faults: Faults = []
  const modes = spec.accessModes ?? []
  if (modes.length === 0) faults.push(required('spec.accessModes', 'at least 1 access mode is required'))
  faults.push(...labelSelector('spec.selector', spec.selector))
  for (const mode of modes) {
    if (!ACCESS_MODES.includes(mode)) {
      faults.push(unsupported('spec.accessModes', mode, [...ACCESS_MODES].sort()))
    }
  }
  const size = spec.resources.requests?.['storage']
  if (size === undefined) faults.push(required('spec.resources[storage]'))
  else if (size === '0' || isNegative(size)) {
    faults.push(invalidValue('spec.resources[storage]', size, 'must be greater than zero'))
  }
  if (spec.storageClassName) {
    faults.push(...name('subdomain', 'spec.storageClassName', spec.storageClassName))
  }
  faults.push(...dataSourceFaults(spec.dataSource))
  if (spec.volumeMode !== undefined && !['Block', 'Filesystem'].includes(spec.volumeMode)) {
    faults.push(unsupported('spec.volumeMode', spec.volumeMode, ['Block', 'Filesystem']))
  }
  return faults
}

function dataSourceFaults(source: PersistentVolumeClaimSpec['dataSource']): Faults {
  if (!source) return []
  const faults: Faults = []
  if (source.name === '') faults.push(required('spec.dataSource.name'))
  if (source.kind === '') faults.push(required('spec.dataSource.kind'))
  if (!source.apiGroup && source.kind !== 'PersistentVolumeClaim') {
    faults.push(invalidValue('spec.dataSource', source.kind, ''))
  }
  return faults
}

/** Of a bound claim only the size may change, and only upwards; binding itself sets volumeName. */
function updateFaults(after: PersistentVolumeClaim, before: PersistentVolumeClaim): Faults {
  const faults: Faults = []
  const spec = structuredClone(after.spec)
  const [was, is] = [before.spec.resources.requests?.['storage'], spec.resources.requests?.['storage']]
  if (before.status.phase === 'Bound' && is !== undefined && was !== undefined) {
    spec.resources.requests = { ...spec.resources.requests, storage: was }
  }
  if (was !== undefined && compareQuantities(is ?? '0', was) < 0) {
    faults.push(forbidden('spec.resources.requests.storage', 'field can not be less than previous value'))
  }
  if (before.spec.volumeName === undefined) delete spec.volumeName
  if (before.spec.storageClassName === undefined) delete spec.storageClassName
  if (!same(spec, before.spec)) {
    const why = 'spec is immutable after creation except resources.requests for bound claims'
    faults.push(forbidden('spec', why))
  }
  return faults
}
