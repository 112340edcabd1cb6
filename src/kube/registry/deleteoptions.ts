/** DeleteOptions of a request, and what they mean for finalizers. */
import { badRequest, invalid, type FieldFault } from '../../apimachinery/errors/index.js'
import { type ObjectMeta } from '../../apimachinery/meta/types.js'

export interface DeleteOptions {
  gracePeriodSeconds?: number
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan'
  orphanDependents?: boolean
  preconditions?: { uid?: string; resourceVersion?: string }
  dryRun?: readonly string[]
}

const POLICIES = ['Foreground', 'Background', 'Orphan']

/** Checks what a body or query said. @throws StatusError 400, 422 */
export function deleteOptions(given: Readonly<Record<string, unknown>>): DeleteOptions {
  const faults: FieldFault[] = []
  const options: DeleteOptions = {}
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions, dryRun } = given
  if (gracePeriodSeconds !== undefined && gracePeriodSeconds !== null) {
    if (!Number.isInteger(gracePeriodSeconds)) throw badRequest('gracePeriodSeconds must be an integer')
    options.gracePeriodSeconds = Math.max(0, gracePeriodSeconds as number)
  }
  if (orphanDependents !== undefined && orphanDependents !== null) {
    options.orphanDependents = orphanDependents === true
  }
  if (propagationPolicy !== undefined && propagationPolicy !== null) {
    if (options.orphanDependents !== undefined) {
      faults.push({
        reason: 'FieldValueInvalid',
        field: 'propagationPolicy',
        message: `Invalid value: ${JSON.stringify(propagationPolicy)}: orphanDependents and deletionPropagation cannot be both set`,
      })
    }
    if (!POLICIES.includes(propagationPolicy as string)) {
      faults.push({
        reason: 'FieldValueNotSupported',
        field: 'propagationPolicy',
        message: `Unsupported value: ${JSON.stringify(propagationPolicy)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
      })
    } else options.propagationPolicy = propagationPolicy as NonNullable<DeleteOptions['propagationPolicy']>
  }
  if (preconditions !== undefined && preconditions !== null) {
    const { uid, resourceVersion } = preconditions as Record<string, unknown>
    options.preconditions = {
      ...(typeof uid === 'string' && { uid }),
      ...(typeof resourceVersion === 'string' && { resourceVersion }),
    }
  }
  if (Array.isArray(dryRun)) options.dryRun = dryRun as string[]
  if (faults.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', faults)
  return options
}

/** The finalizers an object has while the garbage collector does what the options ask of it. */
export function finalizersFor(metadata: Readonly<ObjectMeta>, options: DeleteOptions): string[] {
  const finalizers = metadata.finalizers ?? []
  const policy =
    options.propagationPolicy ??
    (options.orphanDependents === undefined ? undefined : options.orphanDependents ? 'Orphan' : 'Background')
  if (policy === undefined) return [...finalizers]
  const others = finalizers.filter((text) => text !== 'orphan' && text !== 'foregroundDeletion')
  if (policy === 'Orphan') return [...others, 'orphan']
  if (policy === 'Foreground') return [...others, 'foregroundDeletion']
  return others
}
