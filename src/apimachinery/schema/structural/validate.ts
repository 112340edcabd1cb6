/**
 * Checks values against a CRD's schema. Compiled once into closures, one list of checks per schema node.
 *
 * Texts, and paths without list positions, are those of kube-apiserver 1.20: a fault in the third item of
 * `spec.rules` is told of `spec.rules.name`.
 */
import { type FieldFault } from '../../errors/index.js'
import { invalidValue, quoted, required, unsupportedValue } from '../../errors/faults.js'
import { equal, isObject } from '../../json/value.js'
import { formatCheck } from './formats.js'
import { compilePattern } from './pattern.js'
import { type JsonSchema, property, valueSchema } from './types.js'

/** Adds what is wrong with `value` to `faults`. */
export type Validator = (value: unknown, path: string, faults: FieldFault[]) => void

export function compileValidator(schema: JsonSchema): Validator {
  const type = typeCheck(schema)
  const choice = enumCheck(schema)
  const checks = [type, ...combinationChecks(schema), ...kindChecks(schema), choice].filter(
    (check) => check !== undefined,
  )
  const onNull = [type, choice].filter((check) => check !== undefined)
  return (value, path, faults) => {
    for (const check of value === null ? onNull : checks) check(value, path, faults)
  }
}

/** `integer` also for a float without fraction, as JSON does not tell them apart. */
function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  if (typeof value === 'bigint') return 'integer'
  return typeof value
}

function typeCheck(schema: JsonSchema): Validator | undefined {
  const intOrString = schema['x-kubernetes-int-or-string'] === true
  const wanted = intOrString ? ['integer', 'string'] : schema.type ? [schema.type] : []
  if (wanted.length === 0) return undefined
  const names = wanted.join(',')
  const accepted = new Set(wanted)
  if (accepted.has('number')) accepted.add('integer')
  if (schema.nullable === true) accepted.add('null')
  return (value, path, faults) => {
    const actual = typeOf(value)
    if (!accepted.has(actual)) {
      faults.push(
        invalidValue(at(path), actual, `${path} in body must be of type ${names}: ${quoted(actual)}`),
      )
    }
  }
}

/** The root has no name of its own. */
const at = (path: string): string => (path === '' ? '<nil>' : path)

function enumCheck(schema: JsonSchema): Validator | undefined {
  const allowed = schema.enum
  if (allowed === undefined || allowed.length === 0) return undefined
  const texts = allowed.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)))
  const scalars = new Set(allowed)
  return (value, path, faults) => {
    if (scalars.has(value) || allowed.some((each) => equal(each, value))) return
    faults.push(unsupportedValue(at(path), value, texts))
  }
}

function kindChecks(schema: JsonSchema): (Validator | undefined)[] {
  return [stringCheck(schema), numberCheck(schema), listCheck(schema), mapCheck(schema)]
}

function stringCheck(schema: JsonSchema): Validator | undefined {
  const { minLength, maxLength, pattern, format } = schema
  const expression = pattern === undefined || pattern === '' ? undefined : compilePattern(pattern)
  const isFormat = formatCheck(format)
  if (minLength === undefined && maxLength === undefined && !expression && !isFormat) return undefined
  return (value, path, faults) => {
    if (typeof value !== 'string') return
    const fault = (detail: string): void => {
      faults.push(invalidValue(at(path), value, `${path} in body ${detail}`))
    }
    if (maxLength !== undefined && runes(value) > maxLength)
      fault(`should be at most ${maxLength} chars long`)
    if (minLength !== undefined && runes(value) < minLength)
      fault(`should be at least ${minLength} chars long`)
    if (expression && !expression.test(value)) fault(`should match '${pattern ?? ''}'`)
    if (isFormat && !isFormat(value)) fault(`must be of type ${format ?? ''}: ${quoted(value)}`)
  }
}

/** Characters, not UTF-16 units. */
function runes(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

const INT32 = 2 ** 31

function numberCheck(schema: JsonSchema): Validator | undefined {
  const { minimum, maximum, multipleOf, exclusiveMinimum, exclusiveMaximum, format } = schema
  const narrow = format === 'int32' && schema.type === 'integer'
  if (minimum === undefined && maximum === undefined && multipleOf === undefined && !narrow) return undefined
  return (value, path, faults) => {
    if (typeof value !== 'number' && typeof value !== 'bigint') return
    const number = Number(value)
    const fault = (detail: string): void => {
      faults.push(invalidValue(at(path), value, `${path} in body ${detail}`))
    }
    if (multipleOf !== undefined && !isMultiple(number, multipleOf)) {
      fault(`should be a multiple of ${multipleOf}`)
    }
    if (maximum !== undefined && (exclusiveMaximum ? number >= maximum : number > maximum)) {
      fault(`should be less than ${exclusiveMaximum ? '' : 'or equal to '}${maximum}`)
    }
    if (minimum !== undefined && (exclusiveMinimum ? number <= minimum : number < minimum)) {
      fault(`should be greater than ${exclusiveMinimum ? '' : 'or equal to '}${minimum}`)
    }
    if (narrow && (number >= INT32 || number < -INT32)) fault(`must be of type int32: "int64"`)
  }
}

function isMultiple(value: number, of: number): boolean {
  const quotient = value / of
  return Math.abs(quotient - Math.round(quotient)) < 1e-9
}

function listCheck(schema: JsonSchema): Validator | undefined {
  const { minItems, maxItems } = schema
  const item = schema.items && compileValidator(schema.items)
  if (minItems === undefined && maxItems === undefined && !item) return undefined
  return (value, path, faults) => {
    if (!Array.isArray(value)) return
    const size = value.length
    if (item) for (const each of value as unknown[]) item(each, path, faults)
    if (minItems !== undefined && size < minItems) {
      faults.push(invalidValue(at(path), size, `${path} in body should have at least ${minItems} items`))
    }
    if (maxItems !== undefined && size > maxItems) {
      faults.push(invalidValue(at(path), size, `${path} in body should have at most ${maxItems} items`))
    }
  }
}

function mapCheck(schema: JsonSchema): Validator | undefined {
  const { minProperties, maxProperties } = schema
  const names = schema.required ?? []
  const fields = Object.entries(schema.properties ?? {}).map(
    ([name, each]) => [name, compileValidator(each)] as const,
  )
  const values = valueSchema(schema)
  const others = values && compileValidator(values)
  const limited = minProperties !== undefined || maxProperties !== undefined
  if (!limited && names.length === 0 && fields.length === 0 && !others) return undefined
  return (value, path, faults) => {
    if (!isObject(value)) return
    const inside = path === '' ? '' : `${path}.`
    if (limited) countKeys(schema, Object.keys(value).length, path, faults)
    if (others) {
      for (const key of Object.keys(value)) {
        if (property(schema, key) === undefined) others(value[key], `${inside}${key}`, faults)
      }
    }
    for (const [name, check] of fields) {
      if (Object.hasOwn(value, name)) check(value[name], `${inside}${name}`, faults)
    }
    for (const name of names) {
      if (!Object.hasOwn(value, name)) faults.push(required(`${inside}${name}`))
    }
  }
}

function countKeys(
  { minProperties, maxProperties }: JsonSchema,
  count: number,
  path: string,
  faults: FieldFault[],
): void {
  if (minProperties !== undefined && count < minProperties) {
    const detail = `${path} in body should have at least ${minProperties} properties`
    faults.push(invalidValue(at(path), minProperties, detail))
  }
  if (maxProperties !== undefined && count > maxProperties) {
    const detail = `${path} in body should have at most ${maxProperties} properties`
    faults.push(invalidValue(at(path), maxProperties, detail))
  }
}

function combinationChecks(schema: JsonSchema): (Validator | undefined)[] {
  return [anyOfCheck(schema.anyOf), oneOfCheck(schema.oneOf), allOfCheck(schema.allOf), notCheck(schema.not)]
}

/** Faults of a combination carry no path of their own, only a text that names it. */
const combinationFault = (path: string, text: string): FieldFault =>
  invalidValue('<nil>', '', `${quoted(path)} ${text}`)

function attempts(validators: readonly Validator[], value: unknown, path: string): FieldFault[][] {
  return validators.map((validate) => {
    const faults: FieldFault[] = []
    validate(value, path, faults)
    return faults
  })
}

const best = (tries: readonly FieldFault[][]): FieldFault[] =>
  tries.reduce((least, each) => (each.length < least.length ? each : least), tries[0] ?? [])

function anyOfCheck(schemas: readonly JsonSchema[] | undefined): Validator | undefined {
  if (!schemas?.length) return undefined
  const validators = schemas.map(compileValidator)
  return (value, path, faults) => {
    const tries = attempts(validators, value, path)
    if (tries.some((each) => each.length === 0)) return
    faults.push(combinationFault(path, 'must validate at least one schema (anyOf)'), ...best(tries))
  }
}

function oneOfCheck(schemas: readonly JsonSchema[] | undefined): Validator | undefined {
  if (!schemas?.length) return undefined
  const validators = schemas.map(compileValidator)
  return (value, path, faults) => {
    const tries = attempts(validators, value, path)
    const valid = tries.filter((each) => each.length === 0).length
    if (valid === 1) return
    const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`
    faults.push(combinationFault(path, `must validate one and only one schema (oneOf). ${found}`))
    if (valid === 0) faults.push(...best(tries))
  }
}

function allOfCheck(schemas: readonly JsonSchema[] | undefined): Validator | undefined {
  if (!schemas?.length) return undefined
  const validators = schemas.map(compileValidator)
  return (value, path, faults) => {
    const tries = attempts(validators, value, path)
    const valid = tries.filter((each) => each.length === 0).length
    if (valid === tries.length) return
    faults.push(...tries.flat())
    const found = valid === 0 ? '. None validated' : ''
    faults.push(combinationFault(path, `must validate all the schemas (allOf)${found}`))
  }
}

function notCheck(schema: JsonSchema | undefined): Validator | undefined {
  if (schema === undefined) return undefined
  const validate = compileValidator(schema)
  return (value, path, faults) => {
    const inner: FieldFault[] = []
    validate(value, path, inner)
    if (inner.length === 0) faults.push(combinationFault(path, 'must not validate the schema (not)'))
  }
}
