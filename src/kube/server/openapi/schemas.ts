/**
 * Schemas for publication: built-in ones from the recorded OpenAPI v2 definitions, custom ones from their
 * CustomResourceDefinition.
 */
import { type ResourceDefinition } from '../../registry/strategy.js'
import { API_VERSION, KIND, METADATA } from './metadata.js'

export type Schema = Record<string, unknown>
export type Dialect = 'v2' | 'v3'

const V2_REF = '#/definitions/'
const V3_REF = '#/components/schemas/'
export const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'
const LIST_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta'

export function refTo(name: string, dialect: Dialect): Schema {
  return { $ref: (dialect === 'v2' ? V2_REF : V3_REF) + name }
}

/** `io.ex.v1alpha1.Gadget`, or the name among the built-in definitions. */
export function schemaName(definition: ResourceDefinition): string {
  const { schema } = definition.strategy
  if ('builtin' in schema) return schema.builtin
  const reversed = definition.group.split('.').reverse().join('.')
  return `${reversed}.${definition.version}.${definition.kind}`
}

/** A v2 definition in the words of the dialect; `found` is told every definition it refers to. */
export function builtinSchema(node: unknown, dialect: Dialect, found: (name: string) => void): unknown {
  if (Array.isArray(node)) return node.map((item) => builtinSchema(item, dialect, found))
  if (typeof node !== 'object' || node === null) return node
  const schema = node as Schema
  if (typeof schema.$ref === 'string') {
    const name = schema.$ref.slice(V2_REF.length)
    found(name)
    return { ...schema, ...refTo(name, dialect) }
  }
  const result: Schema = {}
  for (const [key, value] of Object.entries(schema)) result[key] = builtinSchema(value, dialect, found)
  if (dialect === 'v3' && schema.format === 'int-or-string') {
    delete result.type
    result.oneOf = [{ type: 'integer' }, { type: 'string' }]
  }
  return result
}

/** Keywords that OpenAPI v2 does not know; a client must not check by half of a schema. */
const ONLY_V3 = new Set(['oneOf', 'anyOf', 'allOf', 'not', 'nullable'])
/** Rules that only the server evaluates. */
const PRIVATE = new Set(['x-kubernetes-validations'])

function structuralSchema(node: unknown, dialect: Dialect): unknown {
  if (Array.isArray(node)) return node.map((item) => structuralSchema(item, dialect))
  if (typeof node !== 'object' || node === null) return node
  const schema = node as Schema
  const result: Schema = {}
  for (const [key, value] of Object.entries(schema)) {
    if (dialect === 'v2' && (ONLY_V3.has(key) || PRIVATE.has(key))) continue
    if (key === 'properties') {
      result.properties = Object.fromEntries(
        Object.entries(value as Schema).map(([name, child]) => [name, structuralSchema(child, dialect)]),
      )
    } else if (key === 'default' || key === 'enum' || key === 'example') result[key] = value
    else result[key] = structuralSchema(value, dialect)
  }
  if (dialect === 'v2') {
    if (schema['x-kubernetes-preserve-unknown-fields'] === true) {
      delete result.items
      delete result.properties
      delete result.type
    }
    if (schema['x-kubernetes-int-or-string'] === true) {
      delete result.type
    }
  }
  return result
}

function preservesUnknown(schema: unknown): boolean {
  return (schema as Schema | undefined)?.['x-kubernetes-preserve-unknown-fields'] === true
}

function groupVersionKind({ group, version }: ResourceDefinition, kind: string): unknown {
  return [{ group, version, kind }]
}

/** The schema of a custom resource and that of its list, by name. */
export function customSchemas(definition: ResourceDefinition, dialect: Dialect): Record<string, Schema> {
  const { schema } = definition.strategy
  const name = schemaName(definition)
  const apiVersion = { type: 'string', description: API_VERSION }
  // Where anything goes, kubectl would take a list of properties for all of them.
  const isOpen =
    dialect === 'v2' &&
    'structural' in schema &&
    (schema.preserveUnknownFields || preservesUnknown(schema.structural))
  const structural =
    'structural' in schema && schema.structural && !isOpen
      ? (structuralSchema(schema.structural, dialect) as Schema)
      : { type: 'object', ...(dialect === 'v3' && { 'x-kubernetes-preserve-unknown-fields': true }) }
  const open = structural.properties === undefined && dialect === 'v2'
  return {
    [name]: {
      ...structural,
      ...(!open && {
        properties: {
          apiVersion,
          kind: { type: 'string', description: KIND },
          ...(structural.properties as Schema | undefined),
          metadata: { description: METADATA, ...refTo(OBJECT_META, dialect) },
        },
      }),
      'x-kubernetes-group-version-kind': groupVersionKind(definition, definition.kind),
    },
    [`${name}List`]: {
      type: 'object',
      required: ['items'],
      properties: {
        apiVersion,
        items: { type: 'array', items: refTo(name, dialect) },
        kind: { type: 'string' },
        metadata: refTo(LIST_META, dialect),
      },
      'x-kubernetes-group-version-kind': groupVersionKind(definition, definition.listKind),
    },
  }
}
