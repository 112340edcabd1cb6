import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as fc from '../../../test/fixtures/properties.js'
import { apiVersionOf, type KubeObject } from '../../apimachinery/meta/types.js'
import { resourceFacts } from '../builtin/data.js'
import { decodeAs } from '../builtin/wire/decode.js'
import { arbitraryOf, builtinKinds } from '../../../test/fixtures/builtinobjects.js'
import { decodeObject, encodeObject, hasMessage, type Kind } from './index.js'

const STATE = new URL('../../../../shared/golden/state.json', import.meta.url)
const REF = '#/definitions/'

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
    expect(builtinKinds.length).toBeGreaterThan(60)
    expect(builtinKinds.filter((kind) => !hasMessage(kind))).toEqual([])
  })

  it.each(builtinKinds)('of $apiVersion $kind says the same as its JSON', (kind) => {
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
