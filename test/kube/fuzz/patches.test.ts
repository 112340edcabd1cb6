/**
 * Patches of objects of every built-in kind: what is there already changes nothing, by whatever patch it is said; owners
 * that state different fields may come in any order.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type KubeObject, parseApiVersion } from '../../../src/apimachinery/meta/types.js'
import { send } from '../../../src/client/transport.js'
import { resourceFacts } from '../../../src/kube/builtin/data.js'
import { type Kube, startKube } from '../../../src/kube/index.js'
import { validObjects } from '../../fixtures/validobjects.js'

let kube: Kube
beforeAll(async () => {
  kube = await startKube({ memory: true, controllers: ['serviceaccount'] })
})
afterAll(() => kube.close())

async function call(method: string, path: string, body: unknown, type = 'json'): Promise<KubeObject> {
  const bytes = Buffer.from(JSON.stringify(body))
  const headers = { 'content-type': `application/${type}`, 'content-length': String(bytes.length) }
  const { status, body: answer } = await send(kube.transport, {
    method,
    path,
    headers,
    body: bytes,
    user: kube.adminUser,
  })
  expect(status, answer.toString()).toBeLessThan(300)
  return JSON.parse(answer.toString()) as KubeObject
}

function collectionOf({ apiVersion = '', kind }: KubeObject): string {
  const { group = '', version = '' } = parseApiVersion(apiVersion) ?? {}
  const { name, namespaced } =
    resourceFacts().resources.find(
      (each) => each.group === group && each.version === version && each.kind === kind,
    ) ?? expect.unreachable(`${apiVersion} ${kind ?? ''}`)
  return `${group === '' ? '/api' : `/apis/${group}`}/${version}${namespaced ? '/namespaces/default' : ''}/${name}`
}

// Quotas come last: they count what the others create.
const isQuota = ({ kind }: KubeObject): boolean => kind === 'ResourceQuota'
const valid = validObjects()
const objects = [...valid.filter((each) => !isQuota(each)), ...valid.filter(isQuota)].map((object) => ({
  title: `${object.apiVersion} ${object.kind} ${object.metadata.name}`,
  object,
}))

describe.each(objects)('$title', ({ object }) => {
  const collection = collectionOf(object)
  const name = object.metadata.name ?? ''

  it('stays as it is when it is patched by what it holds, and applied twice', async () => {
    // Of this version the node is told twice, in a field and in the topology, which apply takes for a change.
    if (object.apiVersion === 'discovery.k8s.io/v1beta1') return
    const path = `${collection}/${name}`
    // Admission may add to what is created, such as the taint of a new node, and the second time not.
    await call('PATCH', `${path}?fieldManager=one`, object, 'apply-patch+yaml')
    const created = await call('PATCH', `${path}?fieldManager=one`, object, 'apply-patch+yaml')
    const again = await call('PATCH', `${path}?fieldManager=one`, object, 'apply-patch+yaml')
    expect(again).toEqual(created)

    const { metadata: _, status: __, ...content } = created as KubeObject & { status?: unknown }
    for (const type of ['merge-patch+json', 'strategic-merge-patch+json']) {
      const patched = await call('PATCH', `${path}?fieldManager=two`, content, type)
      expect(patched.metadata.resourceVersion, type).toBe(created.metadata.resourceVersion)
    }
  })

  it('has the same owners in whatever order they state different fields', async () => {
    // Of these two the name follows from the content.
    if (object.kind === 'CustomResourceDefinition' || object.kind === 'APIService') return
    const { apiVersion, kind } = object
    const states = (at: string): Record<string, unknown>[] => [
      { ...object, metadata: { name: at } },
      { apiVersion, kind, metadata: { name: at, labels: { two: 'yes' } } },
      { apiVersion, kind, metadata: { name: at, annotations: { three: 'yes' } } },
    ]
    const results: unknown[] = []
    for (const [at, order] of [
      [`a${name}`, [0, 1, 2]],
      [`b${name}`, [0, 2, 1]],
    ] as const) {
      let last: KubeObject | undefined
      for (const i of order)
        last = await call(
          'PATCH',
          `${collection}/${at}?fieldManager=m${i}`,
          states(at)[i],
          'apply-patch+yaml',
        )
      const owners = (last?.metadata.managedFields ?? []).map(({ manager, fieldsV1 }) => [manager, fieldsV1])
      results.push({
        stated: [last?.metadata.labels?.['two'], last?.metadata.annotations?.['three']],
        owners: Object.fromEntries(owners) as unknown,
      })
    }
    expect(results[1]).toEqual(results[0])
  })
})
