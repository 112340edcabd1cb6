/**
 * Is a CRD's schema structural? Every part names its type, what is only a condition (`allOf`, `anyOf`, `oneOf`,
 * `not`) specifies no fields of its own, and nothing is used that this server would ignore.
 *
 * @see Kubernetes documentation, "Specifying a structural schema"; apiextensions/v1 validation of 1.20
 */
import { checkRules } from '../cel/rules.js'
import { type FieldFault } from '../../errors/index.js'
import { forbiddenField, invalidValue, required, unsupportedValue } from '../../errors/faults.js'
import { isObject } from '../../json/value.js'
import { checkConditions } from './conditions.js'
import { compileDefaults } from './defaults.js'
import { checkLists } from './listtypes.js'
import { compilePattern } from './pattern.js'
import { prune } from './prune.js'
import { type JsonSchema, property, valueSchema } from './types.js'
import { compileValidator } from './validate.js'

type Level = 'root' | 'items' | 'field'

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const UNSUPPORTED = [
  '$ref',
  'definitions',
  'dependencies',
  'patternProperties',
  'additionalItems',
  'id',
  '$schema',
] as const
const MISSING_TYPE: Record<Level, string> = {
  root: 'must not be empty at the root',
  items: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}
/** Deeper than any honest schema; protects the recursion. */
const MAX_DEPTH = 200

/**
 * @param path where the schema is: `spec.validation.openAPIV3Schema` when all versions share it, else
 *   `spec.versions[0].schema.openAPIV3Schema`
 */
export function checkStructural(schema: unknown, path: string): FieldFault[] {
  const faults: FieldFault[] = []
  checkNode(schema, 'root', path, 0, faults)
  if (faults.length > 0) return faults
  checkDefaults(schema as JsonSchema, path, faults, true)
  checkRules(schema as JsonSchema, path, faults)
  return faults
}

function checkNode(given: unknown, level: Level, path: string, depth: number, faults: FieldFault[]): void {
  if (!isObject(given)) {
    faults.push(invalidValue(path, given, 'must be a schema object'))
    return
  }
  if (depth > MAX_DEPTH) {
    faults.push(invalidValue(path, '', `must not be nested deeper than ${MAX_DEPTH} levels`))
    return
  }
  const schema = given as JsonSchema
  checkType(schema, level, path, faults)
  checkKeywords(schema, path, faults)
  checkLists(schema, path, faults)
  if (level === 'root' || schema['x-kubernetes-embedded-resource']) checkResource(schema, path, faults)
  if (schema.items !== undefined) checkNode(schema.items, 'items', `${path}.items`, depth + 1, faults)
  for (const [name, each] of Object.entries(schema.properties ?? {})) {
    checkNode(each, 'field', `${path}.properties[${name}]`, depth + 1, faults)
  }
  const { additionalProperties } = schema
  if (additionalProperties === false) {
    faults.push(forbiddenField(`${path}.additionalProperties`, 'additionalProperties cannot be set to false'))
  } else if (additionalProperties !== undefined && additionalProperties !== true) {
    checkNode(additionalProperties, 'field', `${path}.additionalProperties`, depth + 1, faults)
  }
  checkConditions(schema, path, faults)
}

function checkType(schema: JsonSchema, level: Level, path: string, faults: FieldFault[]): void {
  const field = `${path}.type`
  const type = schema.type ?? ''
  const preserving = schema['x-kubernetes-preserve-unknown-fields'] === true
  const intOrString = schema['x-kubernetes-int-or-string'] === true
  if (type !== '' && !TYPES.includes(type)) faults.push(unsupportedValue(field, type, TYPES))
  if (schema['x-kubernetes-embedded-resource'] && type !== 'object') {
    const why = 'must be object if x-kubernetes-embedded-resource is true'
    faults.push(type === '' ? required(field, why) : invalidValue(field, type, why))
  } else if (type === '' && !intOrString && !preserving) faults.push(required(field, MISSING_TYPE[level]))
  if (level === 'root' && type !== '' && type !== 'object') {
    faults.push(invalidValue(field, type, 'must be object at the root'))
  }
  if (intOrString) {
    for (const other of ['embedded-resource', 'preserve-unknown-fields'] as const) {
      const key = `x-kubernetes-${other}` as const
      const why = 'must be false if x-kubernetes-int-or-string is true'
      if (schema[key] === true) faults.push(invalidValue(`${path}.${key}`, true, why))
    }
  }
  if (type === 'array' && schema.items === undefined) {
    faults.push(required(`${path}.items`, 'must be specified'))
  }
}

function checkKeywords(schema: JsonSchema, path: string, faults: FieldFault[]): void {
  const loose = schema as Record<string, unknown>
  for (const keyword of UNSUPPORTED) {
    if (loose[keyword] === undefined) continue
    faults.push(forbiddenField(`${path}.${keyword}`, `${keyword} is not supported`))
  }
  if (Array.isArray(loose['items'])) {
    const why = 'items must be a schema object and not an array'
    faults.push(forbiddenField(`${path}.items`, why))
  }
  if (schema.properties !== undefined && schema.additionalProperties !== undefined) {
    const why = 'additionalProperties and properties are mutual exclusive'
    faults.push(forbiddenField(`${path}.additionalProperties`, why))
  }
  if (schema.uniqueItems === true) {
    const why = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'
    faults.push(forbiddenField(`${path}.uniqueItems`, why))
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    const why = 'must be true or undefined'
    faults.push(invalidValue(`${path}.x-kubernetes-preserve-unknown-fields`, false, why))
  }
  checkPattern(schema, path, faults)
}

function checkPattern({ pattern }: JsonSchema, path: string, faults: FieldFault[]): void {
  if (pattern === undefined) return
  try {
    compilePattern(pattern)
  } catch (error) {
    const why = `must be a valid regular expression, but isn't: ${(error as Error).message}`
    faults.push(invalidValue(`${path}.pattern`, pattern, why))
  }
}

/** At the root and in embedded resources metadata is implied, and only its names may be restricted. */
function checkResource(schema: JsonSchema, path: string, faults: FieldFault[]): void {
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  if (embedded && schema.additionalProperties !== undefined) {
    const why = 'must not be used if x-kubernetes-embedded-resource is set'
    faults.push(forbiddenField(`${path}.additionalProperties`, why))
  }
  if (embedded && !schema['x-kubernetes-preserve-unknown-fields'] && schema.properties === undefined) {
    const why =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'
    faults.push(required(`${path}.properties`, why))
  }
  const metadata = property(schema, 'metadata')
  if (metadata === undefined) return
  const field = `${path}.properties[metadata]`
  if (metadata.type !== 'object') {
    faults.push(invalidValue(`${field}.type`, metadata.type ?? '', 'must be object'))
  }
  const restricted = Object.keys(metadata.properties ?? {})
  if (restricted.some((name) => name !== 'name' && name !== 'generateName')) {
    const why =
      'must not specify anything other than name and generateName, but metadata is implicitly specified'
    faults.push(forbiddenField(field, why))
  }
}

/** Defaults must survive pruning and be valid themselves, nested ones included. */
function checkDefaults(schema: JsonSchema, path: string, faults: FieldFault[], isRoot: boolean): void {
  if (schema.default !== undefined) {
    const field = `${path}.default`
    const value = structuredClone(schema.default)
    if (isRoot) faults.push(forbiddenField(field, 'must not be set'))
    for (const dropped of pruned(value, schema)) {
      faults.push(invalidValue(field, schema.default, `must not have unknown fields: ${dropped}`))
    }
    compileDefaults(schema)?.(value)
    const found: FieldFault[] = []
    compileValidator(schema)(value, '', found)
    // A default has no name of its own in the texts.
    for (const fault of found) {
      faults.push({ ...fault, field: fault.field === '<nil>' ? field : `${field}.${fault.field}` })
    }
  }
  for (const [name, each] of Object.entries(schema.properties ?? {})) {
    checkDefaults(each, `${path}.properties[${name}]`, faults, false)
  }
  if (schema.items) checkDefaults(schema.items, `${path}.items`, faults, false)
  const values = valueSchema(schema)
  if (values) checkDefaults(values, `${path}.additionalProperties`, faults, false)
}

function pruned(value: unknown, schema: JsonSchema): string[] {
  const isResource = schema['x-kubernetes-embedded-resource'] === true
  return prune(value, schema, [], isResource)
}
