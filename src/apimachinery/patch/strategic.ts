/**
 * Strategic merge patch: a merge patch that knows which lists are merged, and by which key.
 *
 * Directives: `$patch: delete|replace` in a map or as a list item, `$setElementOrder/x`,
 * `$deleteFromPrimitiveList/x`, `$retainKeys`. Items that are new go first unless an order is given.
 *
 * One rule differs from 1.20: directives inside a value that the object does not have yet are obeyed, where the
 * original stores them as data.
 *
 * @see Kubernetes API conventions, "Strategic Merge Patch"; embedded-kube.md §7.7
 */
import { badRequest, StatusError } from '../errors/index.js'
import { goPlain } from '../errors/faults.js'
import { equal, isObject, type JsonObject, own, setOwn } from '../json/value.js'
import { inGivenOrder } from './order.js'

export type PatchStrategy = 'merge' | 'replace' | 'retainKeys'

export interface PatchField {
  /** The key that tells items of a merged list apart; absent for lists of scalars. */
  mergeKey?: string
  strategies: readonly PatchStrategy[]
  /** Of the object itself, of the items of a list, or of the values of a map. */
  child?: PatchSchema
}

/** Merge keys and strategies, looked up while walking. */
export interface PatchSchema {
  /** @returns undefined for a field without special rules */
  field(name: string): PatchField | undefined
}

const ORDER = '$setElementOrder/'
const DELETE_PRIMITIVES = '$deleteFromPrimitiveList/'
const RETAIN = '$retainKeys'
const DIRECTIVE = '$patch'
const PLAIN: PatchField = { strategies: [] }

/**
 * @returns a new object; the inputs are not modified, unchanged parts are shared
 * @throws StatusError 400 for a malformed directive; 500 (reason unset) when a list item lacks its merge key or
 *   items are out of the order given with them, as kube-apiserver 1.20 answers
 */
export function applyStrategicPatch<T extends object>(
  target: T,
  patch: unknown,
  schema: PatchSchema | undefined,
): T {
  if (!isObject(patch)) throw badRequest('Invalid JSON document')
  return mergeMap(target as unknown as JsonObject, patch, schema) as T
}

/** A plain error of the original: answered 500, without a reason. */
function broken(message: string): StatusError {
  return new StatusError({ code: 500, reason: '', message })
}

function mergeMap(original: JsonObject, patch: JsonObject, schema: PatchSchema | undefined): JsonObject {
  const directive = own(patch, DIRECTIVE)
  if (directive !== undefined) {
    if (directive === 'delete') return {}
    if (directive !== 'replace') {
      throw broken(`unknown patch type: ${goPlain(directive)} in map: ${goPlain(patch)}`)
    }
    const { [DIRECTIVE]: _, ...replacement } = patch
    return mergeMap({}, replacement, schema)
  }
  const result = { ...original }
  retainKeys(result, patch)
  const ordered = new Set<string>()
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(ORDER)) continue
    const name = key.slice(ORDER.length)
    ordered.add(name)
    mergeInOrder(
      result,
      name,
      patch,
      listOf(patch[key], 'setElementOrder list'),
      schema?.field(name) ?? PLAIN,
    )
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(DELETE_PRIMITIVES)) {
      deletePrimitives(result, key.slice(DELETE_PRIMITIVES.length), listOf(value, 'primitive list'))
    } else if (key === RETAIN || key.startsWith(ORDER) || ordered.has(key)) continue
    else if (value === null) delete result[key]
    else setOwn(result, key, mergeValue(own(result, key), value, schema?.field(key) ?? PLAIN))
  }
  return result
}

function mergeValue(original: unknown, patch: unknown, field: PatchField): unknown {
  if (isObject(patch)) {
    const replaced = field.strategies.includes('replace') || !isObject(original)
    return mergeMap(replaced ? {} : original, patch, field.child)
  }
  if (Array.isArray(patch)) {
    if (!field.strategies.includes('merge')) return patch
    return mergeList(Array.isArray(original) ? original : [], patch, field)
  }
  return patch
}

/** `$retainKeys`: fields of the original that are not named go. */
function retainKeys(result: JsonObject, patch: JsonObject): void {
  if (!Object.hasOwn(patch, RETAIN)) return
  const kept = new Set(listOf(patch[RETAIN], 'retainKeys'))
  for (const [key, value] of Object.entries(patch)) {
    if (!key.startsWith('$') && value !== null && !kept.has(key)) {
      throw badRequest('invalid patch format of retainKeys')
    }
  }
  for (const key of Object.keys(result)) if (!kept.has(key)) delete result[key]
}

function listOf(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw badRequest(`invalid patch format of ${what}`)
  return value
}

function deletePrimitives(result: JsonObject, name: string, removed: readonly unknown[]): void {
  const list = own(result, name)
  if (!Array.isArray(list)) return
  result[name] = list.filter((item) => !removed.includes(item))
}

/** `$setElementOrder/name`: merges the list, then brings it into the order given. */
function mergeInOrder(
  result: JsonObject,
  name: string,
  patch: JsonObject,
  order: readonly unknown[],
  field: PatchField,
): void {
  const original = own(result, name)
  const change = own(patch, name)
  if (change === null) {
    delete result[name]
    return
  }
  if (!Array.isArray(original) && !Array.isArray(change)) return
  const before: unknown[] = Array.isArray(original) ? original : []
  const changes: unknown[] = Array.isArray(change) ? change : []
  const identify = identifier(field.mergeKey)
  checkOrder(changes, order, identify)
  const merged = Array.isArray(change) ? (mergeValue(before, changes, field) as unknown[]) : before
  setOwn(result, name, inGivenOrder(merged, order, before, identify))
}

/** Items of a patch must stand in the order that the patch itself gives. */
function checkOrder(
  changes: readonly unknown[],
  order: readonly unknown[],
  identify: (item: unknown) => unknown,
): void {
  const wanted = order.map(identify)
  let at = 0
  for (const change of changes) {
    if (isObject(change) && Object.hasOwn(change, DIRECTIVE)) continue
    const found = wanted.findIndex((id, i) => i >= at && equal(id, identify(change)))
    if (found < 0) {
      throw broken(
        `The order in patch list:\n${goPlain(changes)}\n doesn't match $setElementOrder list:\n${goPlain(order)}\n`,
      )
    }
    at = found + 1
  }
}

/** From an item to what identifies it in its list. */
function identifier(mergeKey: string | undefined): (item: unknown) => unknown {
  if (mergeKey === undefined) return (item) => item
  return (item) => {
    const id = isObject(item) ? own(item, mergeKey) : undefined
    if (id === undefined) {
      throw broken(`map: ${goPlain(item)} does not contain declared merge key: ${mergeKey}`)
    }
    return id
  }
}

function mergeList(original: readonly unknown[], patch: readonly unknown[], field: PatchField): unknown[] {
  const items = [...original, ...patch]
  const maps = items.filter(isObject).length
  if (maps === 0) return mergeScalars(original, patch)
  if (maps < items.length) throw broken('list element types are not identical')
  if (field.mergeKey === undefined) {
    throw broken(`cannot merge lists without merge key for ${goPlain(patch)}`)
  }
  return mergeMaps(original as JsonObject[], patch as readonly JsonObject[], field, field.mergeKey)
}

function mergeScalars(original: readonly unknown[], patch: readonly unknown[]): unknown[] {
  return inGivenOrder([...new Set([...original, ...patch])], patch, original, identifier(undefined))
}

function mergeMaps(
  original: readonly JsonObject[],
  patch: readonly JsonObject[],
  field: PatchField,
  mergeKey: string,
): unknown[] {
  const identify = identifier(mergeKey)
  let merged = [...original]
  const changes: JsonObject[] = []
  let replace = false
  for (const item of patch) {
    const directive = own(item, DIRECTIVE)
    if (directive === undefined) changes.push(item)
    else if (directive === 'replace') replace = true
    else if (directive === 'delete') {
      const id = identify(item)
      merged = merged.filter((each) => !equal(identify(each), id))
    } else if (directive === 'merge') {
      throw broken('merging lists cannot yet be specified in the patch')
    } else throw broken(`unknown patch type: ${goPlain(directive)} in map: ${goPlain(item)}`)
  }
  if (replace) return changes.map((item) => mergeMap({}, item, field.child))
  const before = merged
  const places = new Map(before.map((item, i) => [identityKey(identify(item)), i]))
  merged = [...before]
  for (const item of changes) {
    const id = identityKey(identify(item))
    const at = places.get(id)
    if (at === undefined) {
      places.set(id, merged.length)
      merged.push(mergeMap({}, item, field.child))
    } else merged[at] = mergeMap(merged[at] ?? {}, item, field.child)
  }
  return inGivenOrder(merged, changes, before, identify)
}

const identityKey = (id: unknown): string => `${typeof id}:${JSON.stringify(id)}`
