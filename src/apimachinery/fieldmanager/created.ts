/**
 * What the creator of an object owns: every field that is not there without anybody's doing.
 *
 * The same as comparing with the empty object, in one walk straight to the wire form: nobody else can own anything yet,
 * so there are no sets to unite or to take apart, and creating is what servers do most.
 */
import { equal, isObject, type JsonObject, own, setOwn } from '../json/value.js'
import { type ListType, type MapType, type TypeSchema } from '../schema/typed.js'
import { compareElements, fieldElement } from './element.js'
import { UNOWNED } from './ownership.js'
import { childType, granularList, granularMap, itemsOf, resolve, size } from './typed.js'

const LEAF: JsonObject = Object.freeze({})
const OWN = '.'

/**
 * @param empty the kind's object with nothing set
 * @returns FieldsV1 @throws TypeFault
 */
export function createdFields(
  empty: Readonly<JsonObject>,
  next: Readonly<JsonObject>,
  schema: TypeSchema,
): JsonObject {
  const type = resolve(schema, next)
  if (!granularMap(type)) return {}
  const result: JsonObject = {}
  for (const name of Object.keys(next).sort()) {
    const element = fieldElement(name)
    if (UNOWNED.has(element) && name !== 'metadata') continue
    const fields =
      name === 'metadata'
        ? ofMetadata(own(empty, name), own(next, name), childType(type, name))
        : fieldsOf(own(empty, name), own(next, name), childType(type, name))
    if (fields) setOwn(result, element, fields)
  }
  return result
}

function ofMetadata(before: unknown, after: unknown, declared: TypeSchema): JsonObject | undefined {
  const fields = fieldsOf(before, after, declared)
  if (!fields) return undefined
  const unowned = UNOWNED.below(fieldElement('metadata'))
  const result: JsonObject = {}
  for (const element in fields) {
    if (element !== OWN && !unowned?.has(element)) setOwn(result, element, fields[element])
  }
  return size(result) > 0 ? result : undefined
}

/** @returns undefined where nothing is owned */
function fieldsOf(before: unknown, after: unknown, declared: TypeSchema): JsonObject | undefined {
  if (after === undefined || (before !== undefined && equal(before, after))) return undefined
  const type = resolve(declared, after ?? before)
  if (granularMap(type)) {
    if (isShaped(before, isObject) && isShaped(after, isObject) && (size(before) > 0 || size(after) > 0)) {
      return ofMap(before as JsonObject | null | undefined, (after ?? {}) as JsonObject, type)
    }
  } else if (granularList(type)) {
    const isList = Array.isArray
    if (isShaped(before, isList) && isShaped(after, isList) && (size(before) > 0 || size(after) > 0)) {
      return ofList(before as unknown[] | null | undefined, (after ?? []) as unknown[], type)
    }
  }
  return LEAF
}

const isShaped = (value: unknown, isOf: (value: unknown) => boolean): boolean =>
  value === null || value === undefined || isOf(value)

function ofMap(
  before: JsonObject | null | undefined,
  after: JsonObject,
  type: MapType,
): JsonObject | undefined {
  const result: JsonObject = before === undefined ? { [OWN]: LEAF } : {}
  let isBare = true
  for (const name of Object.keys(after).sort()) {
    const fields = fieldsOf(before ? own(before, name) : undefined, after[name], childType(type, name))
    if (!fields) continue
    isBare = false
    result[fieldElement(name)] = fields
  }
  return isBare ? bare(before) : result
}

function ofList(
  before: unknown[] | null | undefined,
  after: unknown[],
  type: ListType,
): JsonObject | undefined {
  const known = before ? itemsOf(before, type, []) : undefined
  const items = itemsOf(after, type, [])
  const elements = [...items.keys()]
  if (elements.length > 1) elements.sort(compareElements)
  const result: JsonObject = before === undefined ? { [OWN]: LEAF } : {}
  let isBare = true
  for (const element of elements) {
    const fields = fieldsOf(known?.get(element), items.get(element), type.items)
    if (!fields) continue
    isBare = false
    result[element] = fields
  }
  return isBare ? bare(before) : result
}

/** Owned itself, with nothing owned below it. */
const bare = (before: unknown): JsonObject | undefined => (before === undefined ? LEAF : undefined)
