/**
 * One step of a field path, in the encoding of FieldsV1: `f:name` a field, `k:{"name":"c"}` the item of a list
 * with these keys, `v:"x"` the member of a set, `i:0` a position.
 */
import { isObject, own } from '../json/value.js'
import { type ListType } from '../schema/typed.js'

export type Element = string

/** A value that its schema cannot hold; `message` names the field: `.spec.x: ...`. */
export class TypeFault extends Error {
  override readonly name = 'TypeFault'
}

export const fieldElement = (name: string): Element => `f:${name}`

/** @throws TypeFault when an item lacks a key that has no default */
export function itemElement(item: unknown, list: ListType, path: readonly Element[]): Element {
  if (list.type === 'set') return `v:${JSON.stringify(item)}`
  const keys: Record<string, unknown> = {}
  for (const key of list.keys) {
    const value = (isObject(item) ? own(item, key) : undefined) ?? own(list.keyDefaults, key)
    if (value === undefined) {
      throw new TypeFault(
        `${formatPath(path)}: element 0: associative list with keys has an element that omits key field "${key}" (and doesn't have default value)`,
      )
    }
    keys[key] = value
  }
  return `k:${JSON.stringify(keys)}`
}

/** `.spec.containers[name="c"].image`, as conflicts name fields. */
export function formatPath(path: readonly Element[]): string {
  return path.map(formatElement).join('')
}

function formatElement(element: Element): string {
  const body = element.slice(2)
  switch (element[0]) {
    case 'f':
      return `.${body}`
    case 'k':
      return `[${keysOf(body)
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .join(',')}]`
    case 'v':
      return `[=${body}]`
    default:
      return `[${body}]`
  }
}

function keysOf(json: string): [string, unknown][] {
  try {
    return Object.entries(JSON.parse(json) as Record<string, unknown>)
  } catch {
    return [[json, '']]
  }
}

const RANK = 'fkvi'

/** The order in which FieldsV1 lists elements: fields, then items, numbers by value. */
export function compareElements(a: Element, b: Element): number {
  const rank = RANK.indexOf(a.charAt(0)) - RANK.indexOf(b.charAt(0))
  if (rank !== 0) return rank
  if (a.startsWith('k:')) return compareKeys(keysOf(a.slice(2)), keysOf(b.slice(2)))
  if (a.startsWith('i:')) return Number(a.slice(2)) - Number(b.slice(2))
  if (a.startsWith('v:')) return compareValues(parsed(a.slice(2)), parsed(b.slice(2)))
  return a < b ? -1 : a > b ? 1 : 0
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return json
  }
}

function compareKeys(a: [string, unknown][], b: [string, unknown][]): number {
  for (const [i, [key, value]] of a.entries()) {
    const other = b[i]
    if (other === undefined) return 1
    if (key !== other[0]) return key < other[0] ? -1 : 1
    const order = compareValues(value, other[1])
    if (order !== 0) return order
  }
  return a.length - b.length
}

function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [x, y] = [JSON.stringify(a) ?? '', JSON.stringify(b) ?? '']
  return x < y ? -1 : x > y ? 1 : 0
}
