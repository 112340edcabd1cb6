/**
 * What the Kubernetes extensions demand of values: no duplicates in lists of type set and map, and a kind and an
 * apiVersion in embedded resources. Here, unlike in schema faults, list positions are told.
 */
import { type FieldFault } from '../../errors/index.js'
import { duplicateValue, required } from '../../errors/faults.js'
import { isObject, own } from '../../json/value.js'
import { type JsonSchema, valueSchema } from './types.js'

type Check = (value: unknown, path: string, faults: FieldFault[]) => void

/** @returns undefined when the schema holds no such list and no embedded resource */
export function compileExtensions(schema: JsonSchema | undefined): Check | undefined {
  if (schema === undefined) return undefined
  const fields = Object.entries(schema.properties ?? {})
    .map(([name, each]) => [name, compileExtensions(each)] as const)
    .filter((entry): entry is [string, Check] => entry[1] !== undefined)
  const declared = new Set(Object.keys(schema.properties ?? {}))
  const others = compileExtensions(valueSchema(schema))
  const item = compileExtensions(schema.items)
  const identify = identifier(schema)
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  if (fields.length === 0 && !others && !item && !identify && !embedded) return undefined
  return (value, path, faults) => {
    if (Array.isArray(value)) {
      if (identify) duplicates(value, path, identify, faults)
      if (item) value.forEach((each, i) => item(each, `${path}[${i}]`, faults))
    } else if (isObject(value)) {
      const inside = path === '' ? '' : `${path}.`
      if (embedded) {
        for (const name of ['apiVersion', 'kind']) {
          if (!own(value, name)) faults.push(required(`${inside}${name}`, 'must not be empty'))
        }
      }
      for (const [name, check] of fields) {
        if (Object.hasOwn(value, name)) check(value[name], `${inside}${name}`, faults)
      }
      if (!others) return
      for (const [key, each] of Object.entries(value)) {
        if (!declared.has(key)) others(each, `${path}[${key}]`, faults)
      }
    }
  }
}

/** From an item to what must be unique in its list. */
function identifier(schema: JsonSchema): ((item: unknown) => unknown) | undefined {
  if (schema['x-kubernetes-list-type'] === 'set') return (item) => item
  if (schema['x-kubernetes-list-type'] !== 'map') return undefined
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  return (item) => {
    const found: Record<string, unknown> = {}
    for (const key of keys) {
      const value = isObject(item) ? own(item, key) : undefined
      if (value !== undefined) found[key] = value
    }
    return found
  }
}

function duplicates(
  list: readonly unknown[],
  path: string,
  identify: (item: unknown) => unknown,
  faults: FieldFault[],
): void {
  const seen = new Set<string>()
  const told = new Set<string>()
  list.forEach((item, i) => {
    const id = identify(item)
    const text = JSON.stringify(id, sortedKeys)
    if (seen.has(text) && !told.has(text)) {
      faults.push(duplicateValue(`${path}[${i}]`, id))
      told.add(text)
    }
    seen.add(text)
  })
}

function sortedKeys(_: string, value: unknown): unknown {
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
