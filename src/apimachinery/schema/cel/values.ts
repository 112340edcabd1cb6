/** Objects as expressions see them, by their schema: integers apart from doubles, times as times, names escaped. */
import { type Environment } from '@marcbachmann/cel-js'
import { type JsonSchema, property, valueSchema } from '../structural/types.js'

const RESERVED = new Set(
  ['true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if'].concat(
    ['import', 'let', 'loop', 'package', 'namespace', 'return', 'var', 'void', 'while'],
  ),
)
const ESCAPES: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
}

/** The name of a field in an expression. @returns undefined for a field that expressions cannot name */
export function escaped(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`
  const text = name.replace(/__|[.\-/]/g, (part) => ESCAPES[part] ?? part)
  return /^[A-Za-z_]\w*$/.test(text) ? text : undefined
}

const METADATA: JsonSchema = {
  type: 'object',
  properties: { name: { type: 'string' }, generateName: { type: 'string' } },
}

/** With what every object has, at the root and where one is embedded. */
function withObjectFields(schema: JsonSchema): JsonSchema {
  const properties = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: METADATA }
  return { ...schema, properties: { ...schema.properties, ...properties } }
}

export function celValue(value: unknown, schema: JsonSchema | undefined, isRoot = false): unknown {
  if (value === null || value === undefined) return null
  if (isRoot || schema?.['x-kubernetes-embedded-resource']) schema = withObjectFields(schema ?? {})
  if (typeof value === 'number') {
    const isDouble = schema?.type === 'number' || !Number.isInteger(value)
    return isDouble ? value : BigInt(value)
  }
  if (typeof value === 'string') {
    return schema?.type === 'string' && /^date(-time)?$/.test(schema.format ?? '') ? new Date(value) : value
  }
  if (Array.isArray(value)) return value.map((each) => celValue(each, schema?.items))
  if (typeof value !== 'object') return value
  const entries: [string, unknown][] = []
  for (const [name, each] of Object.entries(value)) {
    const declared = property(schema, name)
    // A field that is null is one that is not there.
    if (declared && each === null) continue
    const shown = declared ? escaped(name) : name
    if (shown !== undefined)
      entries.push([shown, celValue(each, declared ?? (schema && valueSchema(schema)))])
  }
  return Object.fromEntries(entries)
}

/** Declares the types of a schema, so that a field nobody has is found out. @returns the name of its type */
export function declareType(
  environment: Environment,
  schema: JsonSchema,
  path: string,
  isRoot = false,
): string {
  if (isRoot || schema['x-kubernetes-embedded-resource']) schema = withObjectFields(schema)
  if (schema['x-kubernetes-int-or-string'] || schema.nullable) return 'dyn'
  switch (schema.type) {
    case 'integer':
      return 'int'
    case 'number':
      return 'double'
    case 'boolean':
      return 'bool'
    case 'string':
      if (/^date(-time)?$/.test(schema.format ?? '')) return 'google.protobuf.Timestamp'
      return schema.format === 'duration' || schema.format === 'byte' ? 'dyn' : 'string'
    case 'array':
      return `list<${declareType(environment, schema.items ?? {}, `${path}_item`)}>`
    case 'object':
      break
    default:
      return 'dyn'
  }
  const values = valueSchema(schema)
  if (values) return `map<string, ${declareType(environment, values, `${path}_value`)}>`
  if (schema['x-kubernetes-preserve-unknown-fields'] && !isRoot) return 'dyn'
  const fields: Record<string, string> = {}
  for (const [name, each] of Object.entries(schema.properties ?? {})) {
    const shown = escaped(name)
    if (shown !== undefined) fields[shown] = declareType(environment, each, `${path}_${shown}`)
  }
  if (Object.keys(fields).length === 0) return 'dyn'
  environment.registerType(path, { fields })
  // Only types are worked out with this; what is compared are plain values.
  environment.registerOperator(`${path} == ${path}`, () => false)
  return path
}
