import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { invalid } from '../../errors/index.js'
import { type KubeObject } from '../../meta/types.js'
import { checkStructural, compileSchema, type JsonSchema } from './index.js'

const CRDS = new URL('../../../../../shared/golden/crds/', import.meta.url)
const PATH = 'spec.validation.openAPIV3Schema'

const thing: JsonSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['name'],
      properties: {
        name: { type: 'string', pattern: '^[a-z]+$', maxLength: 5 },
        replicas: { type: 'integer', minimum: 0, maximum: 5, default: 1 },
        size: { type: 'string', enum: ['S', 'M'] },
        port: { 'x-kubernetes-int-or-string': true },
        when: { type: 'string', format: 'date-time' },
        note: { type: 'string', nullable: true },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        raw: {
          type: 'object',
          'x-kubernetes-preserve-unknown-fields': true,
          properties: { a: { type: 'object' } },
        },
        template: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          'x-kubernetes-preserve-unknown-fields': true,
        },
        rules: {
          type: 'array',
          maxItems: 2,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, weight: { type: 'number', default: 1 } },
          },
        },
      },
    },
    status: { type: 'object', properties: { ready: { type: 'boolean' } } },
  },
}
const compiled = compileSchema(thing)
const object = (spec: unknown) =>
  ({ apiVersion: 'ex.io/v1', kind: 'Thing', metadata: { name: 't' }, spec }) as KubeObject
const message = (spec: unknown) =>
  invalid({ group: 'ex.io', kind: 'Thing' }, 't', compiled.validate(object(spec))).message

describe('validating a custom resource', () => {
  it('accepts what the schema describes', () => {
    expect(
      compiled.validate(
        object({
          name: 'a',
          replicas: 5,
          size: 'S',
          port: 80,
          note: null,
          labels: { a: 'b' },
          rules: [{ name: 'x' }],
        }),
      ),
    ).toEqual([])
  })

  it('tells all faults, in the words of kube-apiserver', () => {
    expect(message({ name: 'a', replicas: 9, size: 'XL' })).toBe(
      'Thing.ex.io "t" is invalid: [spec.replicas: Invalid value: 9: spec.replicas in body should be less than or equal to 5, spec.size: Unsupported value: "XL": supported values: "S", "M"]',
    )
  })

  it.each<[unknown, string]>([
    [{}, 'spec.name: Required value'],
    [{ name: 7 }, 'spec.name: Invalid value: "integer": spec.name in body must be of type string: "integer"'],
    [
      { name: 'a', replicas: 1.5 },
      'spec.replicas: Invalid value: "number": spec.replicas in body must be of type integer: "number"',
    ],
    [
      { name: 'a', replicas: -1 },
      'spec.replicas: Invalid value: -1: spec.replicas in body should be greater than or equal to 0',
    ],
    [{ name: 'A' }, `spec.name: Invalid value: "A": spec.name in body should match '^[a-z]+$'`],
    [
      { name: 'abcdef' },
      'spec.name: Invalid value: "abcdef": spec.name in body should be at most 5 chars long',
    ],
    [
      { name: 'a', when: 'soon' },
      'spec.when: Invalid value: "soon": spec.when in body must be of type date-time: "soon"',
    ],
    [
      { name: 'a', port: true },
      'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
    ],
    [
      { name: 'a', size: null },
      'spec.size: Invalid value: "null": spec.size in body must be of type string: "null"',
    ],
    [
      { name: 'a', labels: { x: 1 } },
      'spec.labels.x: Invalid value: "integer": spec.labels.x in body must be of type string: "integer"',
    ],
    [
      { name: 'a', rules: {} },
      'spec.rules: Invalid value: "object": spec.rules in body must be of type array: "object"',
    ],
    [{ name: 'a', rules: [{ weight: 1 }] }, 'spec.rules.name: Required value'],
    [
      { name: 'a', rules: [{ name: 'x' }, { name: 'x' }] },
      'spec.rules[1]: Duplicate value: map[string]interface {}{"name":"x"}',
    ],
    [
      { name: 'a', rules: [{ name: 'x' }, { name: 'y' }, { name: 'z' }] },
      'spec.rules: Invalid value: 3: spec.rules in body should have at most 2 items',
    ],
    [{ name: 'a', template: { kind: 'Pod' } }, 'spec.template.apiVersion: Required value: must not be empty'],
    ['x', 'spec: Invalid value: "string": spec in body must be of type object: "string"'],
  ])('%j is refused', (spec, text) => {
    expect(message(spec)).toContain(text)
  })

  it('combines conditions', () => {
    const schema: JsonSchema = {
      type: 'object',
      properties: { a: { type: 'integer' }, b: { type: 'integer' } },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
      not: { properties: { a: { enum: [7] } }, required: ['a'] },
    }
    const { validate } = compileSchema({ type: 'object', properties: { spec: schema } })
    const texts = (spec: unknown) => validate(object(spec)).map((fault) => fault.message)
    expect(texts({ a: 1 })).toEqual([])
    expect(texts({ a: 1, b: 1 })).toEqual([
      'Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives',
    ])
    expect(texts({})[0]).toContain('Found none valid')
    expect(texts({ a: 7 })).toEqual(['Invalid value: "": "spec" must not validate the schema (not)'])
  })

  it.each([
    ['ipv4', '1.2.3.4', '::1'],
    ['ipv6', '::1', '1.2.3.4'],
    ['cidr', '10.0.0.0/8', '10.0.0.0/33'],
    ['byte', 'aGk=', 'a'],
    ['date', '2026-02-28', '2026-02-30'],
    ['duration', '1h30m', 'long'],
    ['uuid', '20a1b743-4ef3-48ee-962a-4e95a9bb4c22', 'x'],
    ['hostname', 'a.example.com', '-a'],
    ['email', 'a@example.com', 'a'],
    ['uri', 'https://example.com/x', 'x y'],
    ['mac', '01:23:45:67:89:ab', '01:23'],
  ])('knows the format %s', (format, good, bad) => {
    const { validate } = compileSchema({ type: 'object', properties: { spec: { type: 'string', format } } })
    expect(validate(object(good))).toEqual([])
    expect(validate(object(bad))).toHaveLength(1)
  })
})

describe('pruning a custom resource', () => {
  it('drops what is not specified, and says what', () => {
    const given = object({
      name: 'a',
      bogus: 1,
      labels: { any: 'x' },
      raw: { keep: { deep: 1 }, a: { gone: 1 } },
      template: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', odd: 1 }, spec: { x: 1 } },
      rules: [{ name: 'x', extra: 1 }],
    })
    ;(given.metadata as Record<string, unknown>)['odd'] = 1
    given['extra'] = {}

    const dropped = compiled.prune(given)

    expect(dropped.sort()).toEqual([
      'extra',
      'metadata.odd',
      'spec.bogus',
      'spec.raw.a.gone',
      'spec.rules[0].extra',
      'spec.template.metadata.odd',
    ])
    expect(given).toEqual(
      object({
        name: 'a',
        labels: { any: 'x' },
        raw: { keep: { deep: 1 }, a: {} },
        template: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { x: 1 } },
        rules: [{ name: 'x' }],
      }),
    )
  })

  it('keeps everything without a schema, or when told to', () => {
    const given = object({ any: { thing: [1] } })
    expect(compileSchema(undefined).prune(given)).toEqual([])
    expect(compileSchema({ type: 'object' }, true).prune(given)).toEqual([])
    expect(given.spec).toEqual({ any: { thing: [1] } })
  })
})

describe('defaulting a custom resource', () => {
  it('fills what is absent, and null where null may not be', () => {
    const given = object({ name: 'a', replicas: null, note: null, size: null, rules: [{ name: 'x' }] })
    compiled.applyDefaults(given)
    expect(given.spec).toEqual({ name: 'a', replicas: 1, note: null, rules: [{ name: 'x', weight: 1 }] })
  })

  it('does not bring parents into being', () => {
    const given = object(undefined)
    delete given['spec']
    compiled.applyDefaults(given)
    expect('spec' in given).toBe(false)
  })

  it('gives every object its own copy', () => {
    const { applyDefaults } = compileSchema({
      type: 'object',
      properties: {
        spec: { type: 'object', default: { list: [] }, properties: { n: { type: 'integer', default: 3 } } },
      },
    })
    const [a, b] = [{ metadata: {} } as KubeObject, { metadata: {} } as KubeObject]
    applyDefaults(a)
    applyDefaults(b)
    expect(a).toEqual({ metadata: {}, spec: { list: [], n: 3 } })
    expect(a['spec']).not.toBe(b['spec'])
  })
})

describe('a schema', () => {
  it.each<[JsonSchema, string]>([
    [{}, `${PATH}.type: Required value: must not be empty at the root`],
    [{ type: 'string' }, `${PATH}.type: Invalid value: "string": must be object at the root`],
    [
      { type: 'object', properties: { a: {} } },
      `${PATH}.properties[a].type: Required value: must not be empty for specified object fields`,
    ],
    [
      { type: 'object', properties: { a: { type: 'array', items: {} } } },
      `${PATH}.properties[a].items.type: Required value: must not be empty for specified array items`,
    ],
    [
      { type: 'object', properties: { a: { type: 'array' } } },
      `${PATH}.properties[a].items: Required value: must be specified`,
    ],
    [
      { type: 'object', properties: { a: { type: 'float' } } },
      `${PATH}.properties[a].type: Unsupported value: "float": supported values: "array", "boolean", "integer", "number", "object", "string"`,
    ],
    [
      { type: 'object', additionalProperties: false },
      `${PATH}.additionalProperties: Forbidden: additionalProperties cannot be set to false`,
    ],
    [
      { type: 'object', properties: { a: { type: 'string', pattern: '(' } } },
      `${PATH}.properties[a].pattern: Invalid value: "(": must be a valid regular expression, but isn't`,
    ],
    [
      { type: 'object', anyOf: [{ properties: { a: { minimum: 1 } } }] },
      `${PATH}.properties[a]: Required value: because it is defined in ${PATH}.anyOf[0].properties[a]`,
    ],
    [
      { type: 'object', not: { type: 'object' } },
      `${PATH}.not.type: Forbidden: must be empty to be structural`,
    ],
    [
      { type: 'object', properties: { a: { type: 'integer', default: 'x' } } },
      `${PATH}.properties[a].default: Invalid value: "string":  in body must be of type integer: "string"`,
    ],
    [
      {
        type: 'object',
        properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } },
      },
      'metadata is implicitly specified',
    ],
    [
      { type: 'object', 'x-kubernetes-validations': [{ rule: 'self.' }] },
      `${PATH}.x-kubernetes-validations[0].rule: Invalid value: "self.": compilation failed: `,
    ],
    [
      {
        type: 'object',
        properties: {
          a: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['p'],
            items: { type: 'object', properties: { p: { type: 'string' } } },
          },
        },
      },
      `${PATH}.properties[a].items.properties[p].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
    ],
  ])('%j is not structural', (schema, text) => {
    const faults = checkStructural(schema, PATH)
    expect(faults.map((fault) => `${fault.field}: ${fault.message}`).join('\n')).toContain(text)
  })

  it('may say integer or string in the two known forms', () => {
    const anyOf = [{ type: 'integer' }, { type: 'string' }]
    const forms: JsonSchema[] = [
      { 'x-kubernetes-int-or-string': true, anyOf },
      { 'x-kubernetes-int-or-string': true, allOf: [{ anyOf }, { pattern: '^.*$' }] },
    ]
    for (const a of forms) expect(checkStructural({ type: 'object', properties: { a } }, PATH)).toEqual([])
  })

  it('is checked whatever its shape', () => {
    expect(checkStructural('x', PATH)).toHaveLength(1)
    expect(checkStructural(thing, PATH)).toEqual([])
  })

  it('stops at a depth no honest schema has', () => {
    let schema: JsonSchema = { type: 'string' }
    for (let i = 0; i < 1000; i++) schema = { type: 'object', properties: { a: schema } }
    expect(checkStructural(schema, PATH)[0]?.message).toContain('nested deeper')
  })
})

describe.skipIf(!existsSync(CRDS))('the CRDs of the platform (need ../shared/golden)', () => {
  const files = existsSync(CRDS) ? readdirSync(CRDS) : []
  it.each(files)('%s compiles', (file) => {
    const { spec } = parse(readFileSync(new URL(file, CRDS), 'utf8')) as {
      spec: { preserveUnknownFields?: boolean; versions: { schema?: { openAPIV3Schema?: JsonSchema } }[] }
    }
    for (const { schema } of spec.versions) {
      const root = schema?.openAPIV3Schema
      expect(root === undefined ? [] : checkStructural(root, PATH)).toEqual([])
      expect(compileSchema(root, spec.preserveUnknownFields).validate(object({}))).toBeInstanceOf(Array)
    }
  })
})
