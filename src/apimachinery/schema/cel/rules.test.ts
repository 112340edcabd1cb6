import { describe, expect, it } from 'vitest'
import { type FieldFault } from '../../errors/index.js'
import { checkStructural, compileSchema, type JsonSchema } from '../structural/index.js'

const PATH = 'spec.versions[0].schema.openAPIV3Schema'

interface Rule {
  rule: string
  [more: string]: unknown
}

function schemaOf(spec: JsonSchema, ...rules: Rule[]): JsonSchema {
  return {
    type: 'object',
    properties: { spec: { ...spec, 'x-kubernetes-validations': rules } },
  }
}
const texts = (faults: readonly FieldFault[]): string[] =>
  faults.map(({ field, message }) => `${field}: ${message}`)

const SPEC: JsonSchema = {
  type: 'object',
  properties: {
    min: { type: 'integer' },
    max: { type: 'integer' },
    ratio: { type: 'number' },
    name: { type: 'string' },
    'in-dash': { type: 'integer' },
    at: { type: 'string', format: 'date-time' },
    port: { 'x-kubernetes-int-or-string': true },
    tags: { type: 'array', items: { type: 'string' } },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    parts: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string' }, size: { type: 'integer' } },
      },
    },
  },
}

function faultsOf(spec: unknown, rules: Rule[], old?: unknown): string[] {
  const schema = schemaOf(SPEC, ...rules)
  expect(texts(checkStructural(schema, PATH))).toEqual([])
  const object = (value: unknown): never =>
    ({ kind: 'X', apiVersion: 'a/v1', metadata: {}, spec: value }) as never
  return texts(compileSchema(schema).validate(object(spec), old === undefined ? undefined : object(old)))
}
const fault = (rule: string, spec: unknown, old?: unknown): string[] =>
  faultsOf(spec, [{ rule, message: 'no' }], old)
const NO = ['spec: Invalid value: "object": no']

describe('rules of custom resources', () => {
  it.each<[rule: string, good: object, bad: object]>([
    ['self.min <= self.max', { min: 1, max: 2 }, { min: 3, max: 2 }],
    ['!has(self.min) || self.min > 0', {}, { min: 0 }],
    ['self.ratio < 0.5', { ratio: 0.25 }, { ratio: 1 }],
    ['self.name.matches("^[a-z]+$")', { name: 'abc' }, { name: 'aBc' }],
    ['self.in__dash__dash == 1', { 'in-dash': 1 }, { 'in-dash': 2 }],
    [
      'self.at < timestamp("2021-01-01T00:00:00Z")',
      { at: '2020-01-01T00:00:00Z' },
      { at: '2022-01-01T00:00:00Z' },
    ],
    [
      'self.tags.all(t, t.startsWith("a")) && self.tags.isSorted()',
      { tags: ['a', 'ab'] },
      { tags: ['ab', 'a'] },
    ],
    ['self.labels.exists(k, self.labels[k] == "x")', { labels: { a: 'x' } }, { labels: { a: 'y' } }],
    ['type(self.port) == int ? self.port < 10 : self.port == "http"', { port: 'http' }, { port: 80 }],
    [
      'self.parts.map(p, p.size).sum() == 3',
      { parts: [{ name: 'a', size: 3 }] },
      { parts: [{ name: 'a', size: 4 }] },
    ],
  ])('%s', (rule, good, bad) => {
    expect(fault(rule, good)).toEqual([])
    expect(fault(rule, bad)).toEqual(NO)
  })

  it('say why in words of their own, of the definition, or with the rule itself', () => {
    const rule = 'self.min > 0'
    const spec = { min: -1 }

    expect(faultsOf(spec, [{ rule, messageExpression: '"is " + string(self.min)', message: 'no' }])).toEqual([
      'spec: Invalid value: "object": is -1',
    ])
    expect(faultsOf(spec, [{ rule, messageExpression: 'self.name', message: 'no' }])).toEqual(NO)
    expect(faultsOf(spec, [{ rule }])).toEqual(['spec: Invalid value: "object": failed rule: self.min > 0'])
    expect(
      faultsOf(spec, [{ rule, message: 'no', reason: 'FieldValueForbidden', fieldPath: '.min' }]),
    ).toEqual(['spec.min: Forbidden: no'])
  })

  it('are about changes when they mention the old value', () => {
    expect(fault('self.min >= oldSelf.min', { min: 1 })).toEqual([])
    expect(fault('self.min >= oldSelf.min', { min: 2 }, { min: 1 })).toEqual([])
    expect(fault('self.min >= oldSelf.min', { min: 0 }, { min: 1 })).toEqual(NO)
  })

  it.each([
    'self == oldSelf',
    'self.tags == oldSelf.tags && self.parts == oldSelf.parts',
    'self.labels == oldSelf.labels',
  ])('keep things as they are: %s', (rule) => {
    const before = { tags: ['a'], parts: [{ name: 'a' }], labels: { a: 'b' } }
    expect(fault(rule, structuredClone(before), before)).toEqual([])
    expect(fault(rule, { tags: ['a', 'b'], parts: [], labels: { a: 'c' } }, before)).toEqual(NO)
  })

  it('find the old item of a list by its keys', () => {
    const parts: JsonSchema = {
      ...SPEC.properties?.['parts'],
      items: {
        ...SPEC.properties?.['parts']?.items,
        'x-kubernetes-validations': [{ rule: 'self.size >= oldSelf.size', message: 'must not shrink' }],
      },
    }
    const schema: JsonSchema = { type: 'object', properties: { parts } }
    expect(texts(checkStructural(schema, PATH))).toEqual([])
    const object = (...given: object[]): never => ({ metadata: {}, parts: given }) as never

    const after = object({ name: 'new', size: 1 }, { name: 'b', size: 1 }, { name: 'a', size: 9 })
    const before = object({ name: 'a', size: 5 }, { name: 'b', size: 5 })
    expect(texts(compileSchema(schema).validate(after, before))).toEqual([
      'parts[1]: Invalid value: "object": must not shrink',
    ])
  })

  it('tell of what went wrong in them', () => {
    expect(fault('self.min > 0', {})).toEqual([
      'spec: Invalid value: "object": No such key: min evaluating rule: no',
    ])
  })

  it('wait until the object has the shape that its schema promises', () => {
    expect(fault('self.min > 0', { min: 'x' }).at(-1)).toContain('some validation rules were not checked')
  })

  it.each([
    'self.tags.all(a, self.tags.all(b, self.tags.all(c, self.tags.all(d, true))))',
    'self.tags.exists(a, self.tags.exists(b, self.tags.exists(c, c == "never")))',
    'self.tags.map(a, self.tags.map(b, self.tags.map(c, c))).size() > 0',
    'self.tags.filter(a, self.tags.exists_one(b, self.tags.exists_one(c, c == b))).size() > 0',
    'self.tags.exists(a, self.tags.exists(b, self.labels.nothing == b))',
    'cel.bind(k, self.tags, k.all(a, k.all(b, k.all(c, true))))',
    'self.tags.all(a, self.tags.all(b, self == self))',
    `[${'1,'.repeat(99)}1].all(a, [${'1,'.repeat(99)}1].all(b, [${'1,'.repeat(99)}1].all(c, true)))`,
  ])('cannot hold the process: %s', (rule) => {
    const tags = Array.from({ length: 2000 }, (_none, i) => `tag-${i}`)

    expect(fault(rule, { tags, labels: {} })).toEqual([
      `spec: Invalid value: "object": call cost exceeds limit for rule: ${rule}`,
    ])
  })

  it('are matched in linear time', () => {
    expect(fault('self.name.matches("^(a+)+$")', { name: `${'a'.repeat(50_000)}b` })).toEqual(NO)
  })
})

describe('a definition is refused', () => {
  const at = `${PATH}.properties[spec].x-kubernetes-validations[0]`
  it.each<[why: string, rule: Record<string, unknown>, expected: string]>([
    [
      'that does not parse',
      { rule: 'self.min >' },
      `${at}.rule: Invalid value: "self.min >": compilation failed: `,
    ],
    [
      'with a field nobody has',
      { rule: 'self.minn > 1' },
      `${at}.rule: Invalid value: "self.minn > 1": compilation failed: No such key: minn`,
    ],
    [
      'with types that do not fit',
      { rule: 'self.min > "a"' },
      `${at}.rule: Invalid value: "self.min > \\"a\\"": compilation failed: `,
    ],
    [
      'with a function nobody has',
      { rule: 'quantity(self.name) > 1' },
      `${at}.rule: Invalid value: "quantity(self.name) > 1": compilation failed: `,
    ],
    [
      'that is no yes or no',
      { rule: 'self.name' },
      `${at}.rule: Invalid value: "self.name": cel expression must evaluate to a bool`,
    ],
    ['that is empty', { rule: ' ' }, `${at}.rule: Required value: rule is not specified`],
    [
      'with a message of two lines',
      { rule: 'true', message: 'a\nb' },
      `${at}.message: Invalid value: "a\\nb": message must not contain line breaks`,
    ],
    [
      'with a message that is no text',
      { rule: 'true', messageExpression: 'self.min' },
      `${at}.messageExpression: Invalid value: "self.min": messageExpression must evaluate to a string`,
    ],
    [
      'with a reason nobody knows',
      { rule: 'true', reason: 'Because' },
      `${at}.reason: Unsupported value: "Because"`,
    ],
    [
      'with a path to nowhere',
      { rule: 'true', fieldPath: '.nope' },
      `${at}.fieldPath: Invalid value: ".nope": fieldPath must refer`,
    ],
    [
      'with what is not supported',
      { rule: 'true', optionalOldSelf: true },
      `${at}.optionalOldSelf: Forbidden: is not supported`,
    ],
  ])('for a rule %s', (_why, rule, expected) => {
    const [first] = texts(checkStructural(schemaOf(SPEC, rule as Rule), PATH))

    expect(first).toContain(expected)
  })

  it('for a rule about the old item of a list without keys', () => {
    const schema: JsonSchema = {
      type: 'object',
      properties: {
        list: {
          type: 'array',
          items: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self > oldSelf' }] },
        },
      },
    }

    expect(texts(checkStructural(schema, PATH))[0]).toContain(
      'oldSelf cannot be used on the uncorrelatable portion',
    )
  })
})
