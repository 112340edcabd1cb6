/** What server-side apply must know of a custom resource, from its schema. */
import { DEDUCED, listOf, OBJECT_META, SCALAR, type TypeSchema } from '../typed.js'
import { type JsonSchema, valueSchema } from './types.js'

/** @param schema undefined for a CRD without a schema: everything but metadata is as it turns out to be */
export function resourceType(schema: JsonSchema | undefined): TypeSchema {
  return embeddable(schema ?? {}, typeOf(schema ?? { 'x-kubernetes-preserve-unknown-fields': true }))
}

/** Gives a map the fields of every resource. */
function embeddable(schema: JsonSchema, type: TypeSchema): TypeSchema {
  const declared = type.kind === 'map' ? type : undefined
  return {
    kind: 'map',
    atomic: declared?.atomic ?? false,
    field: (name) => {
      if (name === 'metadata') return OBJECT_META
      if (name === 'kind' || name === 'apiVersion') return SCALAR
      return declared?.field(name)
    },
    values: declared === undefined && schema.type !== 'object' ? DEDUCED : declared?.values,
  }
}

function typeOf(schema: JsonSchema): TypeSchema {
  if (schema['x-kubernetes-int-or-string']) return SCALAR
  if (schema.items !== undefined) {
    const items = typeOf(schema.items)
    switch (schema['x-kubernetes-list-type']) {
      case 'set':
        return listOf(items, 'set')
      case 'map': {
        const keys = schema['x-kubernetes-list-map-keys'] ?? []
        return listOf(items, 'map', keys, keyDefaults(schema.items, keys))
      }
      default:
        return listOf(items)
    }
  }
  const preserving = schema['x-kubernetes-preserve-unknown-fields'] === true
  if (schema.type === 'object' || schema.properties !== undefined) return mapType(schema, preserving)
  return preserving || !schema.type ? DEDUCED : SCALAR
}

function mapType(schema: JsonSchema, preserving: boolean): TypeSchema {
  const fields = new Map(Object.entries(schema.properties ?? {}).map(([name, each]) => [name, typeOf(each)]))
  const values = valueSchema(schema)
  const open = preserving || schema.additionalProperties === true
  const type: TypeSchema = {
    kind: 'map',
    atomic: schema['x-kubernetes-map-type'] === 'atomic',
    field: (name) => fields.get(name),
    values: values === undefined ? (open ? DEDUCED : undefined) : typeOf(values),
  }
  return schema['x-kubernetes-embedded-resource'] ? embeddable(schema, type) : type
}

function keyDefaults(items: JsonSchema, keys: readonly string[]): Record<string, unknown> {
  const defaults: Record<string, unknown> = {}
  for (const key of keys) {
    const value = items.properties?.[key]?.default
    if (value !== undefined) defaults[key] = value
  }
  return defaults
}
