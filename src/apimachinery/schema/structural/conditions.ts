/**
 * `allOf`, `anyOf`, `oneOf`, `not` hold conditions only: no types, no defaults, no extensions, and no field that the
 * structure outside does not specify.
 */
import { type FieldFault } from '../../errors/index.js'
import { forbiddenField, required } from '../../errors/faults.js'
import { equal, isObject } from '../../json/value.js'
import { type JsonSchema, property, valueSchema } from './types.js'

const FORBIDDEN = [
  'type',
  'default',
  'title',
  'description',
  'nullable',
  'additionalProperties',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
] as const

/** The one form in which conditions may name types: an integer or a string. */
const INT_OR_STRING = [{ type: 'integer' }, { type: 'string' }]

export function checkConditions(schema: JsonSchema, path: string, faults: FieldFault[]): void {
  const each = (list: readonly JsonSchema[] | undefined, keyword: string): void => {
    list?.forEach((condition, i) =>
      checkCondition(condition, schema, `${path}.${keyword}[${i}]`, path, faults),
    )
  }
  const intOrString = schema['x-kubernetes-int-or-string'] === true
  if (!(intOrString && equal(schema.anyOf, INT_OR_STRING))) each(schema.anyOf, 'anyOf')
  const [first, ...others] = schema.allOf ?? []
  const excepted = intOrString && first !== undefined && equal(first, { anyOf: INT_OR_STRING })
  if (excepted) {
    others.forEach((condition, i) =>
      checkCondition(condition, schema, `${path}.allOf[${i + 1}]`, path, faults),
    )
  } else each(schema.allOf, 'allOf')
  each(schema.oneOf, 'oneOf')
  if (schema.not) checkCondition(schema.not, schema, `${path}.not`, path, faults)
}

/** @param outside the part of the structure that the condition speaks of; undefined where there is none */
function checkCondition(
  given: unknown,
  outside: JsonSchema | undefined,
  path: string,
  outsidePath: string,
  faults: FieldFault[],
): void {
  if (!isObject(given)) {
    faults.push(required(path, 'must be a schema object'))
    return
  }
  const condition = given as JsonSchema
  if (outside === undefined) {
    faults.push(required(outsidePath, `because it is defined in ${path}`))
    return
  }
  for (const keyword of FORBIDDEN) {
    if (condition[keyword] === undefined) continue
    faults.push(forbiddenField(`${path}.${keyword}`, 'must be empty to be structural'))
  }
  if (condition.properties?.['metadata'] !== undefined && outside.properties?.['metadata'] === undefined) {
    faults.push(forbiddenField(`${path}.properties[metadata]`, 'must not be specified in a nested context'))
  }
  for (const [name, inner] of Object.entries(condition.properties ?? {})) {
    if (name === 'metadata') continue
    const here = `${path}.properties[${name}]`
    const values = valueSchema(outside)
    const target = property(outside, name) ?? values
    checkCondition(inner, target, here, `${outsidePath}.properties[${name}]`, faults)
  }
  if (condition.items) {
    checkCondition(condition.items, outside.items, `${path}.items`, `${outsidePath}.items`, faults)
  }
  for (const keyword of ['allOf', 'anyOf', 'oneOf'] as const) {
    condition[keyword]?.forEach((inner, i) =>
      checkCondition(inner, outside, `${path}.${keyword}[${i}]`, outsidePath, faults),
    )
  }
  if (condition.not) checkCondition(condition.not, outside, `${path}.not`, outsidePath, faults)
}
