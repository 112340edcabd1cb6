/**
 * Who owns which fields: `metadata.managedFields` as sets by manager.
 *
 * A manager is its name, operation and subresource; updates are also told apart by apiVersion, so that a field set
 * through one version stays that version's.
 */
import { type ManagedFieldsEntry } from '../meta/types.js'
import { type JsonObject } from '../json/value.js'
import { FieldSet } from './fieldset.js'

export interface Manager {
  name: string
  operation: 'Apply' | 'Update'
  apiVersion: string
  subresource: string
  time: string | undefined
  fields: FieldSet
}

export type Managers = Map<string, Manager>

const MAX_UPDATES = 10
const ANCIENT = 'ancient-changes'

export function identity(
  manager: Pick<Manager, 'name' | 'operation' | 'apiVersion' | 'subresource'>,
): string {
  const { name, operation, apiVersion, subresource } = manager
  return JSON.stringify([operation, name, operation === 'Update' ? apiVersion : '', subresource])
}

/** @param stored written by `encodeManagers` and not by a client, who may have written anything */
export function decodeManagers(entries: readonly ManagedFieldsEntry[] | undefined, stored = false): Managers {
  const managers: Managers = new Map()
  for (const entry of entries ?? []) {
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') continue
    if (entry.fieldsType !== undefined && entry.fieldsType !== 'FieldsV1') continue
    const manager: Manager = {
      name: entry.manager ?? '',
      operation: entry.operation,
      apiVersion: entry.apiVersion ?? '',
      subresource: entry.subresource ?? '',
      time: entry.time,
      fields: stored ? FieldSet.stored(entry.fieldsV1) : FieldSet.decode(entry.fieldsV1),
    }
    managers.set(identity(manager), manager)
  }
  return managers
}

/** Entries in wire order: Apply before Update, then by time, manager and version. */
export function encodeManagers(managers: Managers): ManagedFieldsEntry[] {
  return [...managers.values()]
    .filter(({ fields }) => !fields.isEmpty)
    .sort(inWireOrder)
    .map((manager) => encodeEntry(manager, manager.fields.encode()))
}

function inWireOrder(a: Manager, b: Manager): number {
  const rank = (manager: Manager): string[] => [
    manager.operation,
    manager.time ?? '',
    manager.name,
    manager.apiVersion,
    manager.subresource,
  ]
  const [left, right] = [rank(a), rank(b)]
  const at = left.findIndex((each, i) => each !== right[i])
  return at < 0 ? 0 : (left[at] ?? '') < (right[at] ?? '') ? -1 : 1
}

export function encodeEntry(
  { name, operation, apiVersion, time, subresource }: Omit<Manager, 'fields'>,
  fieldsV1: JsonObject,
): ManagedFieldsEntry {
  return {
    ...(name !== '' && { manager: name }),
    operation,
    ...(apiVersion !== '' && { apiVersion }),
    ...(time !== undefined && { time }),
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...(subresource !== '' && { subresource }),
  }
}

/** Merges the oldest updates of each version into one entry until there are few enough. */
export function capUpdates(managers: Managers): void {
  const updates = [...managers].filter(([, { operation }]) => operation === 'Update')
  if (updates.length <= MAX_UPDATES) return
  updates.sort(([idA, a], [idB, b]) => {
    const [x, y] = [`${a.time ?? ''} ${idA}`, `${b.time ?? ''} ${idB}`]
    return x < y ? -1 : x > y ? 1 : 0
  })
  let count = updates.length
  const first = new Map<string, string>()
  for (const [id, manager] of updates) {
    if (count <= MAX_UPDATES) return
    const bucket: Manager = { ...manager, name: ANCIENT, subresource: '' }
    const bucketId = identity(bucket)
    const earlier = first.get(manager.apiVersion)
    if (earlier === undefined) {
      first.set(manager.apiVersion, id)
      continue
    }
    if (earlier !== bucketId) {
      const oldest = managers.get(earlier)
      const known = managers.get(bucketId)
      if (oldest) bucket.fields = known ? known.fields.union(oldest.fields) : oldest.fields
      managers.delete(earlier)
      if (known && known !== manager) count--
      first.set(manager.apiVersion, bucketId)
    } else bucket.fields = managers.get(bucketId)?.fields ?? FieldSet.empty()
    bucket.fields = bucket.fields.union(manager.fields)
    managers.delete(id)
    managers.set(bucketId, bucket)
    count--
  }
}
