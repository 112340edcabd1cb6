/** `x-kubernetes-list-type`, `-list-map-keys` and `-map-type`: used where they mean something, and completely. */
import { type FieldFault } from '../../errors/index.js'
import { forbiddenField, goStrings, invalidValue, required, unsupportedValue } from '../../errors/faults.js'
import { type JsonSchema } from './types.js'

const LIST_TYPES = ['atomic', 'set', 'map']
const MAP_TYPES = ['atomic', 'granular']

export function checkLists(schema: JsonSchema, path: string, faults: FieldFault[]): void {
  const listType = schema['x-kubernetes-list-type']
  const mapType = schema['x-kubernetes-map-type']
  const keys = schema['x-kubernetes-list-map-keys']
  const field = `${path}.x-kubernetes-list-type`
  if (listType !== undefined) {
    if (schema.type !== 'array') {
      faults.push(
        schema.type
          ? invalidValue(`${path}.type`, schema.type, 'must be array if x-kubernetes-list-type is specified')
          : required(`${path}.type`, 'must be array if x-kubernetes-list-type is specified'),
      )
    }
    if (!LIST_TYPES.includes(listType)) faults.push(unsupportedValue(field, listType, LIST_TYPES))
    if (listType === 'set') checkSet(schema, path, faults)
  }
  if (listType === 'map') checkMap(schema, path, keys ?? [], faults)
  else if (keys !== undefined && keys.length > 0) {
    const why = 'must be map if x-kubernetes-list-map-keys is non-empty'
    faults.push(listType === undefined ? required(field, why) : invalidValue(field, listType, why))
  }
  if (mapType !== undefined) {
    if (schema.type !== 'object') {
      const why = 'must be object if x-kubernetes-map-type is specified'
      faults.push(
        schema.type ? invalidValue(`${path}.type`, schema.type, why) : required(`${path}.type`, why),
      )
    }
    if (!MAP_TYPES.includes(mapType)) {
      faults.push(unsupportedValue(`${path}.x-kubernetes-map-type`, mapType, MAP_TYPES))
    }
  }
}

/** Items of a set are compared whole, so they must be owned whole. */
function checkSet({ items }: JsonSchema, path: string, faults: FieldFault[]): void {
  if (!items) return
  if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic') {
    const why = 'must be atomic as item of a list with x-kubernetes-list-type=set'
    faults.push(invalidValue(`${path}.items.x-kubernetes-map-type`, items['x-kubernetes-map-type'], why))
  }
  if (items.type === 'array' && (items['x-kubernetes-list-type'] ?? 'atomic') !== 'atomic') {
    const why = 'must be atomic as item of a list with x-kubernetes-list-type=set'
    faults.push(invalidValue(`${path}.items.x-kubernetes-list-type`, items['x-kubernetes-list-type'], why))
  }
  if (items.nullable) {
    faults.push(
      forbiddenField(`${path}.items.nullable`, 'cannot be nullable when x-kubernetes-list-type is set'),
    )
  }
}

function checkMap(schema: JsonSchema, path: string, keys: readonly string[], faults: FieldFault[]): void {
  const { items } = schema
  const field = `${path}.x-kubernetes-list-map-keys`
  if (keys.length === 0) {
    faults.push(required(field, 'must not be empty if x-kubernetes-list-type is map'))
  }
  if (!items) {
    faults.push(required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'))
    return
  }
  if (items.type !== 'object') {
    const why = "must be object if parent array's x-kubernetes-list-type is map"
    faults.push(invalidValue(`${path}.items.type`, items.type ?? '', why))
  }
  if (new Set(keys).size < keys.length)
    faults.push(invalidValue(field, goStrings(keys), 'must not contain duplicate entries'))
  for (const key of keys) {
    const item = items.properties?.[key]
    const itemPath = `${path}.items.properties[${key}]`
    if (item === undefined) {
      if (items.type !== 'object') continue
      faults.push(invalidValue(field, goStrings(keys), 'entries must all be names of item properties'))
      continue
    }
    if (item.type === 'array' || item.type === 'object') {
      const why = "entries must be for a scalar type if parent array's x-kubernetes-list-type is map"
      faults.push(invalidValue(`${itemPath}.type`, item.type, why))
    }
    if (item.nullable) {
      const why = 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'
      faults.push(forbiddenField(`${itemPath}.nullable`, why))
    }
    if (item.default === undefined && !(items.required ?? []).includes(key)) {
      const why =
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'
      faults.push(required(`${itemPath}.default`, why))
    }
  }
}
