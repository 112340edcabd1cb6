/** What a workspace may be called. */
import { invalidValue } from '../apimachinery/errors/faults.js'
import { invalid } from '../apimachinery/errors/index.js'
import { labelValueFaults } from '../apimachinery/meta/names.js'
import { TENANT_GROUP } from './resources.js'

/** Whatever belongs to a workspace has its name in a label, and labels are shorter than names may be. */
export function isUsableWorkspaceName(name: string): boolean {
  return labelValueFaults(name).length === 0
}

/** @throws StatusError 422 for a name that nothing could belong to; other faults are for the API to find */
export function demandWorkspaceName(kind: string, name: string): void {
  if (name.length <= 63) return
  const fault = invalidValue('metadata.name', name, 'must be no more than 63 characters')
  throw invalid({ group: TENANT_GROUP, kind }, name, [fault])
}
