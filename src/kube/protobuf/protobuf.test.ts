import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apiVersionOf, type KubeObject } from '../../apimachinery/meta/types.js'
import { definitions, resourceFacts, type SchemaNode } from '../builtin/data.js'
import { decodeAs } from '../builtin/wire/decode.js'
import { decodeObject, encodeObject, hasMessage, type Kind } from './index.js'

const STATE = new URL('../../../../shared/golden/state.json', import.meta.url)
const REF = '#/definitions/'

/** Values of a definition, as JSON has them. */
function arbitraryOf(node: SchemaNode, name: string, depth: number): fc.Arbitrary<unknown> {
  if (node.$ref !== undefined) {
    const target = node.$ref.slice(REF.length)
    if (target.endsWith('.Quantity')) return fc.constantFrom('0', '1', '100m', '64Mi', '1500m')
    if (target.endsWith('.IntOrString'))
      return fc.oneof(fc.integer({ min: -5, max: 90000 }), fc.constantFrom('http', '25%'))
    if (target.endsWith('.MicroTime')) return fc.constant('2026-01-02T03:04:05.000678Z')
    if (target.endsWith('.Time')) return fc.constant('2026-01-02T03:04:05Z')
    if (/\.(FieldsV1|RawExtension|JSON)$/.test(target))
      return fc.constant({ 'f:a': { '.': {} }, n: [1, 'x', null] })
    if (target.endsWith('.JSONSchemaPropsOrBool')) return fc.constantFrom(true, false, { type: 'string' })
    if (target.endsWith('.JSONSchemaPropsOrArray'))
      return fc.constantFrom({ type: 'string' }, [{ type: 'integer' }])
    if (target.endsWith('.JSONSchemaPropsOrStringArray'))
      return fc.constantFrom({ type: 'string' }, ['a', 'b'])
    if (depth > 9) return fc.constant(undefined)
    return arbitraryOf(definitions()[target] ?? {}, target, depth + 1)
  }
  // A message has no empty lists and maps.
  if (node.items) {
    return fc
      .array(arbitraryOf(node.items, name, depth + 1), { minLength: 1, maxLength: 2 })
      .map((list) => list.filter((each) => each !== undefined))
      .map((list) => (list.length === 0 ? undefined : list))
  }
  if (node.additionalProperties) {
    return fc
      .tuple(fc.constantFrom('a', 'b.c/d', 'é'), arbitraryOf(node.additionalProperties, name, depth + 1))
      .map(([key, value]) => (value === undefined ? undefined : { [key]: value }))
  }
  if (node.properties) {
    const embedded = depth > 1 && node['x-kubernetes-group-version-kind'] !== undefined
    const properties = Object.entries(node.properties)
      // A kind inside another has no message for saying so.
      .filter(([field]) => !embedded || (field !== 'kind' && field !== 'apiVersion'))
    const fields = properties.map(([field, each]) => [
      field,
      // Deep down, fewer fields: the number of values would explode.
      fc.option(arbitraryOf(each, name, depth), { nil: undefined, freq: depth < 4 ? 4 : 2 }),
    ])
    return fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>)
  }
  switch (node.type) {
    case 'string':
      return node.format === 'byte'
        ? fc.constantFrom('AQID', '/+8=')
        : fc.constantFrom('x', 'Grüße', '10.0.0.1', '0')
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return node.format === 'int64' ? fc.constantFrom(0, -1, 7, 2 ** 40, -(2 ** 50)) : fc.integer()
    case 'number':
      return fc.constantFrom(0.5, -2, 1e300)
    default:
      return fc.constant({ any: 'thing' })
  }
}

const kinds = [
  ...new Map(
    resourceFacts().resources.map(({ definition, kind, ...version }) => [
      definition,
      { definition, kind, apiVersion: apiVersionOf(version) },
    ]),
  ).values(),
]

/** As the registry would keep it: what a message cannot tell apart is the same. */
function read(definition: string, object: unknown): KubeObject {
  return decodeAs(definition, structuredClone(object) as KubeObject, { unknown: [], duplicate: [] })
}

function roundTrip(
  { apiVersion, kind, definition }: Kind & { definition: string },
  object: KubeObject,
): KubeObject {
  const back = decodeObject(encodeObject({ ...object, apiVersion, kind }), { apiVersion: '', kind: '' })
  return read(definition, back)
}

describe('a protobuf body', () => {
  it('exists for every built-in kind', () => {
    expect(kinds.length).toBeGreaterThan(60)
    expect(kinds.filter((kind) => !hasMessage(kind))).toEqual([])
  })

  it.each(kinds)('of $apiVersion $kind says the same as its JSON', (kind) => {
    const node = { $ref: `${REF}${kind.definition}` }
    fc.assert(
      fc.property(arbitraryOf(node, kind.definition, 0), (value) => {
        const { apiVersion, kind: name } = kind
        const object = read(kind.definition, { ...(value as object), apiVersion, kind: name })
        expect(roundTrip(kind, object)).toEqual(object)
      }),
      { numRuns: 15 },
    )
  })

  it('says the same as its JSON of all objects of a genuine server', { skip: !existsSync(STATE) }, () => {
    const state = JSON.parse(readFileSync(STATE, 'utf8')) as Record<string, { items: KubeObject[] }>
    let compared = 0
    for (const [path, { items }] of Object.entries(state)) {
      const { name, group, version } =
        /^\/(?:api|apis\/(?<group>[^/]+))\/(?<version>[^/]+)\/(?<name>[^/]+)$/.exec(path)?.groups ?? {}
      const facts = resourceFacts().resources.find(
        (each) => each.name === name && each.group === (group ?? '') && each.version === version,
      )
      if (!facts) continue
      const kind = { ...facts, apiVersion: apiVersionOf(facts) }
      for (const item of items) {
        const object = read(facts.definition, { ...item, apiVersion: kind.apiVersion, kind: facts.kind })
        expect(roundTrip(kind, object)).toEqual(object)
        compared++
      }
    }
    expect(compared).toBeGreaterThan(500)
  })

  it('that is malformed in any way is refused or read, and never breaks anything', () => {
    const pod = encodeObject({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', labels: { a: 'b' }, creationTimestamp: '2026-01-02T03:04:05Z' },
      spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }] }] },
    })
    const edit = fc.record({ at: fc.nat(pod.length - 1), value: fc.nat(255), cut: fc.nat(pod.length) })
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), fc.boolean(), (edits, cuts) => {
        const bytes = Buffer.from(pod)
        for (const { at, value } of edits) bytes[at] = value
        try {
          decodeObject(cuts ? bytes.subarray(0, edits[0]?.cut) : bytes, { apiVersion: 'v1', kind: 'Pod' })
        } catch (error) {
          expect(error).toMatchObject({ code: 400 })
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('nested without end is refused', () => {
    let schema: object = {}
    for (let i = 0; i < 1000; i++) schema = { not: schema }
    const versions = [{ name: 'v1', schema: { openAPIV3Schema: schema } }]
    const kind = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
    const bytes = encodeObject({ ...kind, spec: { versions } })

    expect(() => decodeObject(bytes, kind)).toThrow('nested too deeply')
  })

  it('is an envelope that names the kind, around the fields by their numbers', () => {
    const bytes = encodeObject({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'm' },
      data: { a: '1' },
    })

    expect(bytes.toString('hex')).toBe(
      [
        '6b387300', // k8s
        '0a0f' +
          '0a02' +
          Buffer.from('v1').toString('hex') +
          '1209' +
          Buffer.from('ConfigMap').toString('hex'),
        '120d' + '0a03' + '0a016d' + '1206' + '0a0161' + '120131',
        '1a002200',
      ].join(''),
    )
  })
})
