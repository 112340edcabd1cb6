/**
 * Server-side apply: a manager states the fields it wants; the server merges them, refuses what others own with
 * another value, and removes what the manager stated before and no longer does.
 *
 * Steps as in embedded-kube.md §7.7: (1) the set of applied fields, (2) conflicts, (3) merge, (4) removal of
 * dropped fields, (5) ownership.
 */
import { badRequest, StatusError } from '../errors/index.js'
import { type KubeObject, type ManagedFieldsEntry } from '../meta/types.js'
import { type TypeSchema } from '../schema/typed.js'
import { TypeFault } from './element.js'
import { FieldSet } from './fieldset.js'
import { capUpdates, decodeManagers, encodeManagers, identity, type Managers } from './managers.js'
import { conflictError, conflictsWith, ownable, release } from './ownership.js'
import { compare, fieldsOf, overlay, typeFaults, without } from './typed.js'
import { takeOver, withoutOwnership } from './update.js'

export interface ApplyRequest {
  schema: TypeSchema
  /** The object as it is; undefined when apply creates it. */
  live: Readonly<KubeObject> | undefined
  /** The kind's object with nothing set, as decoding writes it. */
  empty: Readonly<KubeObject>
  /** What the manager wants, not decoded: absent fields must be absent. */
  applied: Readonly<KubeObject>
  manager: string
  force: boolean
  apiVersion: string
  subresource?: string
  /** RFC 3339, whole seconds. */
  now: string
}

export interface Applied {
  /** To be decoded and defaulted; its managedFields are set. */
  object: KubeObject
  /** False when the object stays as it is (ownership may change still). */
  changed: boolean
}

const BEFORE = 'before-first-apply'

/**
 * @throws StatusError 400 for a configuration that the schema does not allow or that carries managedFields;
 *   409 naming every field that others own; 500 when the live object cannot be understood
 */
export function applyPatch(request: ApplyRequest): Applied {
  const { schema, applied } = request
  if (applied.metadata.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil')
  const [fault, ...more] = typeFaults(applied, schema)
  if (fault !== undefined) {
    const text =
      more.length === 0 ? fault : `errors:\n${[fault, ...more].map((each) => `  ${each}`).join('\n')}`
    throw badRequest(`failed to create typed patch object: ${text}`)
  }
  try {
    return apply(request)
  } catch (error) {
    if (!(error instanceof TypeFault)) throw error
    const message = `failed to create typed live object: ${error.message}`
    throw new StatusError({ code: 500, reason: '', message }, { cause: error })
  }
}

function apply(request: ApplyRequest): Applied {
  const { schema, manager: name, apiVersion, subresource = '', now } = request
  const applied = withoutNullMetadata(request.applied)
  const live = withoutOwnership(request.live ?? request.empty)
  const managers = managersBefore(request)
  const self = { name, operation: 'Apply' as const, apiVersion, subresource }
  const id = identity(self)
  const last = managers.get(id)

  const fields = ownable(fieldsOf(applied, schema))
  const merged = overlay(live, applied, schema)
  managers.set(id, { ...self, time: last?.time, fields })
  // Laid over again: a map that lost its last field but is stated as empty stays.
  const next = overlay(removeDropped(merged, last?.fields, managers, schema), applied, schema) as KubeObject
  const difference = compare(live, next, schema)
  const conflicts = request.force ? [] : conflictsWith(managers, difference, id)
  if (conflicts.length > 0) throw conflictError(conflicts)
  release(managers, difference, id)

  const changed = ![difference.added, difference.modified, difference.removed].every((set) => set.isEmpty)
  const mine = managers.get(id)
  if (mine && (changed || !last?.fields.equals(mine.fields))) managers.set(id, { ...mine, time: now })
  capUpdates(managers)
  return { object: withManagers(next, encodeManagers(managers)), changed }
}

/** Tools write `creationTimestamp: null` into manifests; it states nothing. */
function withoutNullMetadata(object: Readonly<KubeObject>): KubeObject {
  const stated = Object.entries(object.metadata).filter(([, value]) => value !== null)
  return { ...object, metadata: Object.fromEntries(stated) }
}

/** An object that nobody tracked: what it holds belongs to those before. */
function managersBefore({ schema, live, empty, apiVersion, now }: ApplyRequest): Managers {
  const managers = decodeManagers(live?.metadata.managedFields, true)
  if (managers.size === 0 && live !== undefined) {
    takeOver(managers, { schema, live: undefined, empty, next: live, manager: BEFORE, apiVersion, now })
  }
  return managers
}

/**
 * Takes out what the manager applied last time, unless somebody owns it now, itself included.
 *
 * An item that goes takes along what is inside; of that, what others set by themselves stays.
 */
function removeDropped(
  merged: unknown,
  last: FieldSet | undefined,
  managers: Managers,
  schema: TypeSchema,
): unknown {
  if (last === undefined || last.isEmpty) return merged
  const all = fieldsOf(merged, schema)
  const owned = [...managers.values()].reduce((set, { fields }) => set.union(fields), FieldSet.empty())
  const left = (value: unknown): FieldSet => fieldsOf(value ?? {}, schema)
  const kept = left(without(merged, last, schema)).union(owned)
  const pruned = without(merged, all.difference(kept), schema)
  return without(merged, all.difference(left(pruned)).intersection(last), schema) ?? {}
}

function withManagers(object: KubeObject, entries: ManagedFieldsEntry[]): KubeObject {
  if (entries.length === 0) return object
  return { ...object, metadata: { ...object.metadata, managedFields: entries } }
}
