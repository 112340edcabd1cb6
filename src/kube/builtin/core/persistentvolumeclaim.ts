/** v1 PersistentVolumeClaim. */
import { type Faults, forbidden, labelSelector, name, required, same, unsupported } from '../faults.js'
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
    return context.subresource === 'status' ? [] : updateFaults(view(object), view(previous))
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
  if (spec.volumeMode !== undefined && !['Block', 'Filesystem'].includes(spec.volumeMode)) {
    faults.push(unsupported('spec.volumeMode', spec.volumeMode, ['Block', 'Filesystem']))
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
    if (compareQuantities(is, was) < 0) {
      faults.push(forbidden('spec.resources.requests.storage', 'field can not be less than previous value'))
    }
  }
  if (before.spec.volumeName === undefined) delete spec.volumeName
  if (before.spec.storageClassName === undefined) delete spec.storageClassName
  if (!same(spec, before.spec)) {
    const why = 'spec is immutable after creation except resources.requests for bound claims'
    faults.push(forbidden('spec', why))
  }
  return faults
}
