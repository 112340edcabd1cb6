/** Ownership after an ordinary write: who changes a field owns it. */
import { type KubeObject, type ManagedFieldsEntry } from '../meta/types.js'
import { equal } from '../json/value.js'
import { type TypeSchema } from '../schema/typed.js'
import { createdFields } from './created.js'
import { TypeFault } from './element.js'
import {
  capUpdates,
  decodeManagers,
  encodeEntry,
  encodeManagers,
  identity,
  type Managers,
} from './managers.js'
import { ownable, release } from './ownership.js'
import { compare } from './typed.js'

export interface UpdateRequest {
  schema: TypeSchema
  /** The object as it is; undefined on create. */
  live: Readonly<KubeObject> | undefined
  /**
   * The kind's object with nothing set, as decoding writes it (`spec: {strategy: {}}`): on create, fields that
   * are there without anybody's doing belong to nobody.
   */
  empty: Readonly<KubeObject>
  /** The object as it will be; its managedFields are what the client sent. */
  next: Readonly<KubeObject>
  manager: string
  apiVersion: string
  subresource?: string
  /** RFC 3339, whole seconds. */
  now: string
}

/** Clients that do not know managedFields drop them; `[{}]` says that they are to be forgotten. */
const RESET: readonly ManagedFieldsEntry[] = [{}]

/**
 * @returns the managedFields to store; empty for none. An object that exists without any is not tracked, as
 *   nobody has used server-side apply on it
 */
export function trackUpdate(request: UpdateRequest): ManagedFieldsEntry[] {
  const { live, next } = request
  const given = next.metadata.managedFields
  const known = live?.metadata.managedFields
  if (live === undefined && !given?.length) return created(request)
  let managers: Managers = new Map()
  if (!equal(given, RESET)) {
    if (given !== undefined && !equal(given, known)) managers = decodeManagers(given)
    if (managers.size === 0) managers = decodeManagers(known, true)
  }
  if (managers.size === 0 && live !== undefined) return []
  try {
    takeOver(managers, request)
  } catch (error) {
    // A list with duplicate keys cannot be told apart item by item; ownership stays as it was.
    if (!(error instanceof TypeFault)) throw error
  }
  capUpdates(managers)
  return encodeManagers(managers)
}

function created({ schema, empty, next, manager: name, ...rest }: UpdateRequest): ManagedFieldsEntry[] {
  const { apiVersion, subresource = '', now: time } = rest
  try {
    const { metadata, ...parts } = next
    const { managedFields: _, ...kept } = metadata
    const fields = createdFields(empty, { ...parts, metadata: kept }, schema)
    if (Object.keys(fields).length === 0) return []
    return [encodeEntry({ name, operation: 'Update', apiVersion, subresource, time }, fields)]
  } catch (error) {
    // Items with the same key: nobody owns anything.
    if (error instanceof TypeFault) return []
    throw error
  }
}

/** Gives `manager` what it changed. Its time moves only when it took something. */
export function takeOver(
  managers: Managers,
  request: Omit<UpdateRequest, 'empty'> & { empty: object },
): void {
  const { schema, live, empty, next, manager: name, apiVersion, subresource = '', now } = request
  const difference = compare(withoutOwnership(live ?? empty), withoutOwnership(next), schema)
  const self = { name, operation: 'Update' as const, apiVersion, subresource }
  const id = identity(self)
  release(managers, difference, id)
  const taken = ownable(difference.modified.union(difference.added))
  if (taken.isEmpty) return
  const before = managers.get(id)?.fields
  managers.set(id, { ...self, time: now, fields: before ? before.union(taken) : taken })
}

export function withoutOwnership(object: object): KubeObject {
  const { metadata, ...rest } = object as KubeObject
  const { managedFields: _, ...kept } = metadata
  return { ...rest, metadata: kept }
}
