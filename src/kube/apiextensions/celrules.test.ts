import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type StatusError } from '../../apimachinery/errors/index.js'
import { startKube, type TestKube } from '../testing/index.js'

let kube: TestKube
beforeAll(async () => {
  kube = await startKube({ controllers: false })
})
afterAll(() => kube.close())

const definition = (plural: string, kind: string, rules: object[]): string =>
  JSON.stringify({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.example.com` },
    spec: {
      group: 'example.com',
      scope: 'Cluster',
      names: { plural, kind },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              'x-kubernetes-validations': [
                { rule: 'self.metadata.name != "forbidden"', message: 'not this name' },
              ],
              properties: {
                spec: {
                  type: 'object',
                  properties: { size: { type: 'integer' } },
                  'x-kubernetes-validations': rules,
                },
              },
            },
          },
        },
      ],
    },
  })

const refusal = (promise: Promise<unknown>): Promise<StatusError> =>
  promise.then(
    () => Promise.reject(new Error('it was accepted')),
    (error: unknown) => error as StatusError,
  )

describe('CEL rules of a CustomResourceDefinition', () => {
  it('refuse objects and changes, in the words of the definition', async () => {
    const rules = [
      { rule: 'self.size > 0', message: 'size must be positive' },
      { rule: 'self.size >= oldSelf.size', message: 'size must not shrink' },
    ]
    await kube.create(definition('boxes', 'Box', rules))
    const box = (name: string, size: number): never =>
      ({ apiVersion: 'example.com/v1', kind: 'Box', metadata: { name }, spec: { size } }) as never
    const boxes = kube.resource('example.com/v1/boxes')
    await boxes.create(box('a', 3))

    expect(await refusal(boxes.create(box('b', 0)))).toMatchObject({
      code: 422,
      message: 'Box.example.com "b" is invalid: spec: Invalid value: "object": size must be positive',
    })
    expect((await refusal(boxes.patch('a', 'merge', { spec: { size: 2 } }))).message).toContain(
      'size must not shrink',
    )
    expect((await refusal(boxes.create(box('forbidden', 1)))).message).toContain('not this name')
    expect(await boxes.patch('a', 'merge', { spec: { size: 4 } })).toMatchObject({ spec: { size: 4 } })
  })

  it('are refused with their definition when they are faulty', async () => {
    const error = await refusal(kube.create(definition('jars', 'Jar', [{ rule: 'self.nothing > 1' }])))

    expect(error.code).toBe(422)
    expect(error.message).toContain(
      'spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule: Invalid value: "self.nothing > 1": compilation failed: No such key: nothing',
    )
  })
})
