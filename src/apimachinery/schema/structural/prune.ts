/**
 * Drops what the schema does not specify.
 *
 * `kind`, `apiVersion` and `metadata` belong to every resource, at the root and where a resource is embedded;
 * metadata keeps what ObjectMeta knows. Where unknown fields are preserved, specified ones are still pruned
 * inside.
 */
import { isObject, type JsonObject } from '../../json/value.js'
import { OBJECT_META } from '../typed.js'
import { type JsonSchema, property, valueSchema } from './types.js'

/**
 * Changes `object` in place.
 *
 * @param isResource whether kind, apiVersion and metadata are implied
 * @returns the paths of what was dropped: `spec.a[0].b`
 */
export function prune(
  object: unknown,
  schema: JsonSchema,
  dropped: string[] = [],
  isResource = true,
): string[] {
  pruneValue(object, schema, isResource, '', dropped)
  return dropped
}

function pruneValue(
  value: unknown,
  schema: JsonSchema | undefined,
  isResource: boolean,
  path: string,
  dropped: string[],
): void {
  if (Array.isArray(value)) {
    const preserving = schema?.['x-kubernetes-preserve-unknown-fields'] === true
    if (preserving && schema.items === undefined) return
    value.forEach((item, i) =>
      pruneValue(item, schema?.items, isEmbedded(schema?.items), `${path}[${i}]`, dropped),
    )
  } else if (isObject(value)) pruneMap(value, schema, isResource, path, dropped)
}

function pruneMap(
  map: JsonObject,
  schema: JsonSchema | undefined,
  isResource: boolean,
  path: string,
  dropped: string[],
): void {
  const preserving = schema?.['x-kubernetes-preserve-unknown-fields'] === true
  for (const key of Object.keys(map)) {
    const here = path === '' ? key : `${path}.${key}`
    if (isResource && (key === 'kind' || key === 'apiVersion')) continue
    if (isResource && key === 'metadata') {
      pruneMetadata(map[key], here, dropped)
      continue
    }
    const declared = property(schema, key)
    if (declared !== undefined) pruneValue(map[key], declared, isEmbedded(declared), here, dropped)
    else if (schema?.additionalProperties !== undefined && schema.additionalProperties !== false) {
      const values = valueSchema(schema)
      if (values !== undefined || !preserving) pruneValue(map[key], values, isEmbedded(values), here, dropped)
    } else if (!preserving) {
      delete map[key]
      dropped.push(here)
    }
  }
}

const isEmbedded = (schema: JsonSchema | undefined): boolean =>
  schema?.['x-kubernetes-embedded-resource'] === true

function pruneMetadata(metadata: unknown, path: string, dropped: string[]): void {
  if (!isObject(metadata)) return
  for (const key of Object.keys(metadata)) {
    if (OBJECT_META.field(key) !== undefined) continue
    delete metadata[key]
    dropped.push(`${path}.${key}`)
  }
}
