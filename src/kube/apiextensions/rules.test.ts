/** Which CustomResourceDefinitions are refused, in the words of a 1.20 server. */
import { describe, expect, it } from 'vitest'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { CONTEXT, definitionOf } from '../builtin/fixture.js'
import { withDefinitionRules } from './rules.js'

const { strategy } = withDefinitionRules(definitionOf('apiextensions.k8s.io/v1', 'CustomResourceDefinition'))

interface Spec {
  group: string
  names: Record<string, unknown>
  versions: Record<string, unknown>[]
  [field: string]: unknown
}

const version = (name: string, schema: object, more: object = {}) => ({
  name,
  served: true,
  storage: name === 'v1',
  schema: { openAPIV3Schema: schema },
  ...more,
})

async function faults(change: (spec: Spec) => void): Promise<string[]> {
  const spec: Spec = {
    group: 'example.com',
    scope: 'Cluster',
    names: { plural: 'things', kind: 'Thing' },
    versions: [version('v1', { type: 'object' })],
  }
  change(spec)
  const body = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.example.com', uid: 'u' },
    spec,
  } as unknown as KubeObject
  const object = strategy.decode(body, { unknown: [], duplicate: [] })
  strategy.applyDefaults(object)
  await strategy.prepareForCreate?.(object, CONTEXT)
  return strategy.validate(object, CONTEXT).map(({ field, message }) => `${field}: ${message}`)
}

const first = (spec: Spec, more: object) => Object.assign(spec.versions[0] as object, more)

describe('a definition of custom resources', () => {
  it.each<[string, (spec: Spec) => void, string | RegExp]>([
    [
      'of a kind that is no name',
      ({ names }) => (names['kind'] = 'A_b'),
      /^spec\.names\.kind: Invalid value: "A_b": may have mixed case, but should otherwise match: a DNS-1035/,
    ],
    [
      'with a column of an odd format',
      (spec) =>
        first(spec, {
          additionalPrinterColumns: [{ name: 'a', type: 'string', jsonPath: '.a', format: 'x' }],
        }),
      'spec.additionalPrinterColumns[0].format: Invalid value: "x": must be one of byte,date,date-time,double,float,int32,int64,password',
    ],
    [
      'that looks at the whole object where the status is written by itself',
      (spec) => {
        const schema = { type: 'object', oneOf: [{ required: ['a'] }] }
        first(spec, { subresources: { status: {} }, schema: { openAPIV3Schema: schema } })
      },
      /^spec\.validation\.openAPIV3Schema: Invalid value: .*: only \[Description Type .*\] fields are allowed at the root of the schema if the status subresource is enabled$/,
    ],
    [
      'that keeps what it does not know',
      (spec) => (spec['preserveUnknownFields'] = true),
      'spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-preserve-unknown-fields to true in spec.versions[*].schema instead',
    ],
    [
      'with a number or text that is also anything',
      (spec) => {
        const both = { 'x-kubernetes-int-or-string': true, 'x-kubernetes-preserve-unknown-fields': true }
        first(spec, { schema: { openAPIV3Schema: { type: 'object', properties: { a: both } } } })
      },
      'spec.validation.openAPIV3Schema.properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true',
    ],
  ])('%s is refused', async (_, change, fault) => {
    const found = await faults(change)
    expect(found).toEqual(
      expect.arrayContaining([typeof fault === 'string' ? fault : expect.stringMatching(fault)]),
    )
  })

  it('is told where of several versions the fault is', async () => {
    const bad = { type: 'object', properties: { a: { type: 'x' } } }
    const found = await faults((spec) => {
      spec.versions = [version('v1', { type: 'object' }), version('v2', bad)]
    })

    expect(found).toEqual([
      expect.stringMatching(
        /^spec\.versions\[1\]\.schema\.openAPIV3Schema\.properties\[a\]\.type: Unsupported/,
      ),
    ])
  })

  it('is taken as it should be', async () => {
    expect(await faults(() => undefined)).toEqual([])
  })
})
