/**
 * Fills defaults, on write and on read.
 *
 * A null where the schema allows none counts as absent: it takes the default, or goes when there is none.
 * Compiled to a function that visits only the branches that hold defaults or may hold such nulls.
 */
import { isObject, type JsonObject } from '../../json/value.js'
import { type JsonSchema, valueSchema } from './types.js'

/** Changes its argument in place. */
export type Filler = (value: unknown) => void

interface Field {
  name: string
  hasDefault: boolean
  fallback: unknown
  nullable: boolean
  inner: Filler | undefined
}

/** @returns undefined when the schema has nothing to say about any value */
export function compileDefaults(schema: JsonSchema | undefined): Filler | undefined {
  if (schema === undefined) return undefined
  const fields = Object.entries(schema.properties ?? {}).map(([name, each]) => fieldOf(name, each))
  const names = new Set(fields.map((field) => field.name))
  const values = valueSchema(schema)
  const others = values && fieldOf('', values)
  const items = schema.items && fieldOf('', schema.items)
  if (fields.length === 0 && others === undefined && items === undefined) return undefined
  return (value) => {
    if (Array.isArray(value)) {
      if (items !== undefined) fillList(value as unknown[], items)
    } else if (isObject(value)) {
      for (const field of fields) fillField(value, field.name, field)
      if (others === undefined) return
      for (const key of Object.keys(value)) if (!names.has(key)) fillField(value, key, others)
    }
  }
}

function fieldOf(name: string, schema: JsonSchema): Field {
  return {
    name,
    hasDefault: schema.default !== undefined,
    fallback: schema.default,
    nullable: schema.nullable === true,
    inner: compileDefaults(schema),
  }
}

/** Only declared properties may come into being; `field.name` is empty for the values of a map. */
function fillField(map: JsonObject, key: string, field: Field): void {
  const present = Object.hasOwn(map, key)
  const unset = present ? map[key] === null && !field.nullable : field.name !== ''
  if (unset && field.hasDefault) map[key] = structuredClone(field.fallback)
  else if (unset) {
    if (present) delete map[key]
    return
  }
  field.inner?.(map[key])
}

function fillList(list: unknown[], items: Field): void {
  for (let i = 0; i < list.length; i++) {
    if (list[i] === null && !items.nullable && items.hasDefault) list[i] = structuredClone(items.fallback)
    items.inner?.(list[i])
  }
}
