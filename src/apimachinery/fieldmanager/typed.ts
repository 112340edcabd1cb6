/**
 * Values seen through their type: which fields a value sets, how two values differ, one merged into another, fields
 * taken out. What the type calls atomic is one field.
 */
import { goPlain } from '../errors/faults.js'
import { equal, isObject, type JsonObject, own, setOwn } from '../json/value.js'
import {
  DEDUCED,
  listOf,
  type ListType,
  mapOf,
  type MapType,
  SCALAR,
  type TypeSchema,
} from '../schema/typed.js'
import { type Element, fieldElement, formatPath, itemElement, TypeFault } from './element.js'
import { FieldSet } from './fieldset.js'

type Path = readonly Element[]
/** Grows and shrinks on the way through a value, so that no step needs a path of its own. */
type Stack = Element[]

const DEDUCED_MAP = mapOf(DEDUCED)
const DEDUCED_LIST = listOf(DEDUCED)

/** The type as it applies to a value; unknown shapes take that of the value. */
export function resolve(type: TypeSchema, value: unknown): TypeSchema {
  if (type.kind !== 'deduced') return type
  if (isObject(value)) return DEDUCED_MAP
  return Array.isArray(value) ? DEDUCED_LIST : SCALAR
}

export const granularMap = (type: TypeSchema): type is MapType => type.kind === 'map' && !type.atomic
export const granularList = (type: TypeSchema): type is ListType =>
  type.kind === 'list' && type.type !== 'atomic'

/** Fields of live objects that the type does not know are taken as they are. */
export const childType = (type: MapType, name: string): TypeSchema =>
  type.field(name) ?? type.values ?? DEDUCED

/**
 * Items by the element that names them.
 *
 * @throws TypeFault for an item without its keys, or two items with the same
 */
export function itemsOf(list: readonly unknown[], type: ListType, path: Path): Map<Element, unknown> {
  const items = new Map<Element, unknown>()
  for (const item of list) {
    const element = itemElement(item, type, path)
    if (items.has(element)) {
      throw new TypeFault(`${formatPath(path)}: duplicate entries for key ${formatPath([element])}`)
    }
    items.set(element, item)
  }
  return items
}

/** The fields that a value sets. @throws TypeFault */
export function fieldsOf(value: unknown, type: TypeSchema): FieldSet {
  const set = FieldSet.empty()
  collect(value, type, [], set)
  return set
}

function collect(value: unknown, declared: TypeSchema, path: Stack, set: FieldSet): void {
  const type = resolve(declared, value)
  if (granularMap(type)) {
    if (!isObject(value)) return
    for (const [name, each] of Object.entries(value)) {
      path.push(fieldElement(name))
      collect(each, childType(type, name), path, set)
      if (type.field(name) === undefined) set.insert(path)
      path.pop()
    }
  } else if (granularList(type)) {
    if (!Array.isArray(value)) return
    for (const [element, item] of itemsOf(value, type, path)) {
      path.push(element)
      if (type.type === 'map') collect(item, type.items, path, set)
      set.insert(path)
      path.pop()
    }
  } else set.insert(path)
}

/**
 * What is wrong with an applied configuration: fields that the type does not have, shapes it does not allow.
 *
 * @returns texts that name the field
 */
export function typeFaults(value: unknown, declared: TypeSchema, path: Path = []): string[] {
  if (value === null || value === undefined) return []
  const type = resolve(declared, value)
  if (type.kind === 'map') {
    if (!isObject(value)) return [`${formatPath(path)}: expected map, got &{${goPlain(value)}}`]
    return Object.entries(value).flatMap(([name, each]) => {
      const here = [...path, fieldElement(name)]
      const child = type.field(name) ?? type.values
      return child === undefined
        ? [`${formatPath(here)}: field not declared in schema`]
        : typeFaults(each, child, here)
    })
  }
  if (type.kind === 'list') {
    if (!Array.isArray(value)) return [`${formatPath(path)}: expected list, got &{${goPlain(value)}}`]
    if (type.type === 'atomic') {
      return value.flatMap((item, i) => typeFaults(item, type.items, [...path, `i:${i}`]))
    }
    try {
      return [...itemsOf(value, type, path)].flatMap(([element, item]) =>
        typeFaults(item, type.items, [...path, element]),
      )
    } catch (error) {
      if (error instanceof TypeFault) return [error.message]
      throw error
    }
  }
  return []
}

export interface Difference {
  added: FieldSet
  modified: FieldSet
  removed: FieldSet
}

/** How `next` differs from `live`. @throws TypeFault */
export function compare(live: unknown, next: unknown, type: TypeSchema): Difference {
  const difference = { added: FieldSet.empty(), modified: FieldSet.empty(), removed: FieldSet.empty() }
  visit(live, next, type, [], difference)
  return difference
}

export const size = (value: unknown): number =>
  Array.isArray(value) ? value.length : isObject(value) ? Object.keys(value).length : 0

function visit(live: unknown, next: unknown, declared: TypeSchema, path: Stack, into: Difference): void {
  if (live === next) return
  // Most of an object stays as it is, and this is the cheapest way to see it.
  if (live !== undefined && next !== undefined && equal(live, next)) return
  const type = resolve(declared, next ?? live)
  const shaped = (value: unknown): boolean =>
    value === null ||
    value === undefined ||
    (type.kind === 'map' ? isObject(value) : type.kind === 'list' && Array.isArray(value))
  // Two empty values are compared as they are, which keeps {} apart from null.
  const inside =
    (granularMap(type) || granularList(type)) &&
    shaped(live) &&
    shaped(next) &&
    (size(live) > 0 || size(next) > 0)
  if (!inside) {
    if (live === undefined) into.added.insert(path)
    else if (next === undefined) into.removed.insert(path)
    else into.modified.insert(path)
    return
  }
  if (granularMap(type)) {
    const [before, after] = [(live ?? {}) as JsonObject, (next ?? {}) as JsonObject]
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      path.push(fieldElement(name))
      visit(own(before, name), own(after, name), childType(type, name), path, into)
      path.pop()
    }
  } else if (granularList(type)) {
    const before = itemsOf((live ?? []) as unknown[], type, path)
    const after = itemsOf((next ?? []) as unknown[], type, path)
    for (const element of new Set([...before.keys(), ...after.keys()])) {
      path.push(element)
      visit(before.get(element), after.get(element), type.items, path, into)
      path.pop()
    }
  }
  if (live === undefined) into.added.insert(path)
  else if (next === undefined) into.removed.insert(path)
}

/**
 * The live value with the applied one laid over it. Items of lists keep their order, new ones come last.
 *
 * @throws TypeFault
 */
export function overlay(live: unknown, applied: unknown, declared: TypeSchema, path: Path = []): unknown {
  if (applied === undefined) return live
  const type = resolve(declared, applied)
  if (granularMap(type) && isObject(applied)) {
    const result: JsonObject = isObject(live) ? { ...live } : {}
    for (const [name, value] of Object.entries(applied)) {
      const here = [...path, fieldElement(name)]
      setOwn(result, name, overlay(own(result, name), value, childType(type, name), here))
    }
    return result
  }
  if (granularList(type) && Array.isArray(applied)) {
    const items = itemsOf(Array.isArray(live) ? live : [], type, path)
    for (const [element, item] of itemsOf(applied, type, path)) {
      items.set(element, overlay(items.get(element), item, type.items, [...path, element]))
    }
    return [...items.values()]
  }
  return applied
}

/**
 * The value without the fields of a set. Maps and lists that become empty by it go as well.
 *
 * @returns undefined when nothing is left
 * @throws TypeFault
 */
export function without(value: unknown, fields: FieldSet, declared: TypeSchema, path: Path = []): unknown {
  const type = resolve(declared, value)
  if (granularMap(type) && isObject(value)) {
    const result: JsonObject = {}
    for (const [name, each] of Object.entries(value)) {
      const element = fieldElement(name)
      if (fields.has(element)) continue
      const below = fields.below(element)
      const kept = below ? without(each, below, childType(type, name), [...path, element]) : each
      if (kept !== undefined) setOwn(result, name, kept)
    }
    return size(result) === 0 && size(value) > 0 ? undefined : result
  }
  if (granularList(type) && Array.isArray(value)) {
    const result: unknown[] = []
    for (const [element, item] of itemsOf(value, type, path)) {
      if (fields.has(element)) continue
      const below = fields.below(element)
      const kept = below ? without(item, below, type.items, [...path, element]) : item
      if (kept !== undefined) result.push(kept)
    }
    return result.length === 0 && value.length > 0 ? undefined : result
  }
  return value
}
