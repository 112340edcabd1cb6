/**
 * `x-kubernetes-validations`: rules in the Common Expression Language, checked when a definition is written and run on
 * every object.
 *
 * A rule sees the value it stands at as `self`. One that mentions `oldSelf` is about a change: it is run on updates only,
 * and where the old value is the same one: below properties, keys of maps, and items of lists that have keys.
 */
import { type FieldFault } from '../../errors/index.js'
import { forbiddenField, invalidValue, required, unsupportedValue } from '../../errors/faults.js'
import { type JsonSchema, valueSchema } from '../structural/types.js'
import { CALLS, environment } from './environment.js'
import { Budget, metered, type Metered, OutOfBudget } from './metered.js'
import { celValue, declareType } from './values.js'

const RULE_STEPS = 500_000
const OBJECT_STEPS = 2_000_000
const RULES_LIMIT = 100
/** How the path of the whole object is printed. */
const ROOT = '<nil>'
const REASONS = [
  'FieldValueInvalid',
  'FieldValueForbidden',
  'FieldValueRequired',
  'FieldValueDuplicate',
] as const
const KEYS = new Set(['rule', 'message', 'messageExpression', 'reason', 'fieldPath'])

interface Rule {
  rule: string
  message?: string
  messageExpression?: string
  reason?: (typeof REASONS)[number]
  fieldPath?: string
}

interface CompiledRule extends Rule {
  test: Metered
  say: Metered | undefined
  isTransition: boolean
}

/** What of a schema has rules somewhere below. */
interface Level {
  schema: JsonSchema
  rules: readonly CompiledRule[]
  properties: readonly [name: string, level: Level][]
  values: Level | undefined
  items: Level | undefined
}

export type RulesCheck = (object: unknown, previous: unknown, faults: FieldFault[]) => void

const rulesOf = (schema: JsonSchema): readonly Rule[] =>
  (schema['x-kubernetes-validations'] ?? []) as readonly Rule[]

/** @returns undefined for a schema without rules. @throws Error for a rule that `checkRules` would have refused */
export function compileRules(schema: JsonSchema | undefined): RulesCheck | undefined {
  const root = schema && levelOf(schema)
  if (!root) return undefined
  return (object, previous, faults) => {
    const run = new Run(faults)
    run.level(root, object, previous, '', true)
  }
}

function levelOf(schema: JsonSchema): Level | undefined {
  const properties: [string, Level][] = []
  for (const [name, each] of Object.entries(schema.properties ?? {})) {
    const level = levelOf(each)
    if (level) properties.push([name, level])
  }
  const below = valueSchema(schema)
  const values = below && levelOf(below)
  const items = schema.items && levelOf(schema.items)
  const rules = rulesOf(schema).map(compileRule)
  if (rules.length === 0 && properties.length === 0 && !values && !items) return undefined
  return { schema, rules, properties, values, items }
}

function compileRule(rule: Rule): CompiledRule {
  const compile = (text: string): Metered =>
    metered(environment().registerVariable('self', 'dyn').registerVariable('oldSelf', 'dyn'), text, CALLS)
  const test = compile(rule.rule)
  const say = rule.messageExpression === undefined ? undefined : compile(rule.messageExpression)
  return { ...rule, test, say, isTransition: test.variables.has('oldSelf') }
}

/** The rules on one object, with one budget for all of them. */
class Run {
  #left = OBJECT_STEPS

  constructor(private readonly faults: FieldFault[]) {}

  level(level: Level, value: unknown, old: unknown, path: string, isRoot = false): void {
    if (value === undefined || value === null || this.#left <= 0) return
    const { schema, rules, properties, values, items } = level
    if (rules.length > 0) {
      const self = celValue(value, schema, isRoot)
      const oldSelf = old === undefined || old === null ? undefined : celValue(old, schema, isRoot)
      for (const rule of rules) {
        if (rule.isTransition && oldSelf === undefined) continue
        if (this.#left > 0) this.#rule(rule, { self, oldSelf: oldSelf ?? null }, schema, path)
      }
    }
    if (Array.isArray(value)) {
      if (!items) return
      const before = correlated(schema, old)
      value.forEach((each: unknown, i) => this.level(items, each, before(each), `${path}[${i}]`))
      return
    }
    if (typeof value !== 'object') return
    const [fields, was] = [value as Record<string, unknown>, (old ?? {}) as Record<string, unknown>]
    const at = (from: Record<string, unknown>, name: string): unknown =>
      Object.hasOwn(from, name) ? from[name] : undefined
    for (const [name, each] of properties) {
      this.level(each, at(fields, name), at(was, name), path === '' ? name : `${path}.${name}`)
    }
    if (!values) return
    for (const name of Object.keys(fields)) {
      this.level(values, fields[name], at(was, name), `${path}[${name}]`)
    }
  }

  #rule(rule: CompiledRule, variables: Record<string, unknown>, schema: JsonSchema, path: string): void {
    const budget = new Budget(Math.min(RULE_STEPS, this.#left))
    const given = budget.left
    const type = schema.type ?? ''
    try {
      if (rule.test.evaluate(variables, budget) !== true) this.#refuse(rule, variables, budget, type, path)
    } catch (error) {
      if (error instanceof OutOfBudget) {
        const why =
          this.#left > RULE_STEPS
            ? `call cost exceeds limit for rule: ${rule.rule}`
            : 'validation failed due to running out of cost budget, no further validation rules will be run'
        this.faults.push(invalidValue(path || ROOT, type, why))
      } else {
        const why = (error as Error).message.split('\n')[0] ?? ''
        this.faults.push(
          invalidValue(path || ROOT, type, `${why} evaluating rule: ${rule.message ?? rule.rule}`),
        )
      }
    }
    this.#left -= given - Math.max(budget.left, 0)
  }

  #refuse(
    rule: CompiledRule,
    variables: Record<string, unknown>,
    budget: Budget,
    type: string,
    path: string,
  ): void {
    const message = said(rule, variables, budget) ?? rule.message ?? `failed rule: ${rule.rule}`
    const field = `${path}${rule.fieldPath ?? ''}`.replace(/^\./, '') || ROOT
    switch (rule.reason) {
      case 'FieldValueForbidden':
        return void this.faults.push(forbiddenField(field, message))
      case 'FieldValueRequired':
        return void this.faults.push(required(field, message))
      case 'FieldValueDuplicate': {
        const duplicate = `Duplicate value: ${JSON.stringify(type)}`
        return void this.faults.push({ reason: 'FieldValueDuplicate', field, message: duplicate })
      }
      default:
        this.faults.push(invalidValue(field, type, message))
    }
  }
}

/** A message that cannot be made is left to the one that is written down. */
function said({ say }: CompiledRule, variables: Record<string, unknown>, budget: Budget): string | undefined {
  if (!say) return undefined
  try {
    const text = say.evaluate(variables, budget)
    return typeof text === 'string' && text.trim() !== '' && !/[\r\n]/.test(text) ? text : undefined
  } catch {
    return undefined
  }
}

/** The item of before that has the same keys. */
function correlated(schema: JsonSchema, old: unknown): (item: unknown) => unknown {
  if (!Array.isArray(old) || schema['x-kubernetes-list-type'] !== 'map') return () => undefined
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const keyOf = (item: unknown): string =>
    JSON.stringify(keys.map((key) => (item as Record<string, unknown> | null)?.[key]))
  const byKey = new Map(old.map((item: unknown) => [keyOf(item), item]))
  return (item) => byKey.get(keyOf(item))
}

/** Faults of all rules of a schema that is otherwise good. */
export function checkRules(schema: JsonSchema, path: string, faults: FieldFault[]): void {
  checkBelow(schema, path, true, true, faults)
}

function checkBelow(
  schema: JsonSchema,
  path: string,
  isRoot: boolean,
  isCorrelatable: boolean,
  faults: FieldFault[],
): void {
  checkLevel(schema, path, isRoot, isCorrelatable, faults)
  for (const [name, each] of Object.entries(schema.properties ?? {})) {
    checkBelow(each, `${path}.properties[${name}]`, false, isCorrelatable, faults)
  }
  const values = valueSchema(schema)
  if (values) checkBelow(values, `${path}.additionalProperties`, false, isCorrelatable, faults)
  const isKeyed = schema['x-kubernetes-list-type'] === 'map'
  if (schema.items) checkBelow(schema.items, `${path}.items`, false, isCorrelatable && isKeyed, faults)
}

/** @param isCorrelatable whether the old value can be told from others */
function checkLevel(
  schema: JsonSchema,
  path: string,
  isRoot: boolean,
  isCorrelatable: boolean,
  faults: FieldFault[],
): void {
  const given: unknown = schema['x-kubernetes-validations']
  if (given === undefined) return
  const field = `${path}.x-kubernetes-validations`
  if (!Array.isArray(given)) return void faults.push(invalidValue(field, given, 'must be a list of rules'))
  if (given.length > RULES_LIMIT) {
    return void faults.push(invalidValue(field, given.length, `must have at most ${RULES_LIMIT} rules`))
  }
  given.forEach((rule: unknown, i) => {
    const at = `${field}[${i}]`
    if (typeof rule !== 'object' || rule === null) {
      return void faults.push(invalidValue(at, rule, 'must be an object'))
    }
    checkRule(rule as Record<string, unknown>, schema, at, isRoot, isCorrelatable, faults)
  })
}

function checkRule(
  rule: Record<string, unknown>,
  schema: JsonSchema,
  at: string,
  isRoot: boolean,
  isCorrelatable: boolean,
  faults: FieldFault[],
): void {
  for (const [key, value] of Object.entries(rule)) {
    if (!KEYS.has(key)) faults.push(forbiddenField(`${at}.${key}`, 'is not supported by this server'))
    else if (typeof value !== 'string') faults.push(invalidValue(`${at}.${key}`, value, 'must be a string'))
  }
  const { rule: test, message, messageExpression, reason, fieldPath } = rule
  if (typeof message === 'string' && /[\r\n]/.test(message)) {
    faults.push(invalidValue(`${at}.message`, message, 'message must not contain line breaks'))
  }
  if (typeof reason === 'string' && !(REASONS as readonly string[]).includes(reason)) {
    faults.push(unsupportedValue(`${at}.reason`, reason, [...REASONS]))
  }
  if (typeof fieldPath === 'string' && !isFieldOf(schema, fieldPath)) {
    faults.push(invalidValue(`${at}.fieldPath`, fieldPath, 'fieldPath must refer to an existing field'))
  }
  if (typeof test !== 'string' || test.trim() === '') {
    faults.push(required(`${at}.rule`, 'rule is not specified'))
    return
  }
  const compile = (text: string, wanted: string, key: string): Metered | undefined => {
    try {
      const typed = environment()
      const type = declareType(typed, schema, 'Self', isRoot)
      const compiled = metered(
        typed.registerVariable('self', type).registerVariable('oldSelf', type),
        text,
        CALLS,
      )
      if (compiled.type === wanted || compiled.type === 'dyn') return compiled
      const kind =
        key === 'rule'
          ? 'cel expression must evaluate to a bool'
          : 'messageExpression must evaluate to a string'
      faults.push(invalidValue(`${at}.${key}`, text, kind))
    } catch (error) {
      faults.push(invalidValue(`${at}.${key}`, text, `compilation failed: ${(error as Error).message}`))
    }
    return undefined
  }
  const compiled = compile(test, 'bool', 'rule')
  if (compiled?.variables.has('oldSelf') && !isCorrelatable) {
    const why = 'oldSelf cannot be used on the uncorrelatable portion of the schema'
    faults.push(invalidValue(`${at}.rule`, test, why))
  }
  if (typeof messageExpression === 'string') compile(messageExpression, 'string', 'messageExpression')
}

/** `.a.b`: fields only. */
function isFieldOf(schema: JsonSchema, path: string): boolean {
  if (!/^(\.[\w-]+)+$/.test(path)) return false
  let at: JsonSchema | undefined = schema
  for (const name of path.slice(1).split('.')) {
    const properties: JsonSchema['properties'] = at?.properties
    at = properties && Object.hasOwn(properties, name) ? properties[name] : undefined
    if (!at) return false
  }
  return true
}
