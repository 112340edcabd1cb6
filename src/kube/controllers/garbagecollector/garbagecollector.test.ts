import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { send } from '../../../client/transport.js'
import { type Kube, startKube } from '../../index.js'

let kube: Kube

beforeEach(async () => {
  kube = await startKube()
})
afterEach(() => kube.close())

const MAPS = '/api/v1/namespaces/default/configmaps'

async function ask(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; object: KubeObject }> {
  const answer = await send(kube.transport, {
    method,
    path,
    headers: { 'content-type': 'application/json' },
    user: kube.adminUser,
    ...(body && { body: Buffer.from(JSON.stringify(body)) }),
  })
  return { status: answer.status, object: JSON.parse(answer.body.toString()) as KubeObject }
}

const referenceTo = ({ metadata: { name, uid } }: KubeObject) => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', name, uid },
  blockOwnerDeletion: true,
})

async function configMap(name: string, ...owners: KubeObject[]): Promise<KubeObject> {
  const metadata = { name, ...(owners.length > 0 && { ownerReferences: owners.map(referenceTo) }) }
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata }
  const { status, object } = await ask('POST', MAPS, body)
  expect(status).toBe(201)
  return object
}

const statusOf = async (name: string): Promise<number> => (await ask('GET', `${MAPS}/${name}`)).status

describe('deleting an owner', () => {
  it('takes its dependents along, and theirs', async () => {
    const owner = await configMap('owner')
    const child = await configMap('child', owner)
    await configMap('grandchild', child)
    await configMap('stranger')

    await ask('DELETE', `${MAPS}/owner`)

    await expect.poll(() => statusOf('grandchild')).toBe(404)
    expect(await statusOf('child')).toBe(404)
    expect(await statusOf('stranger')).toBe(200)
  })

  it('in the foreground waits for the dependents', async () => {
    const owner = await configMap('owner')
    await configMap('child', owner)

    const { object } = await ask('DELETE', `${MAPS}/owner?propagationPolicy=Foreground`)
    expect(object.metadata.finalizers).toEqual(['foregroundDeletion'])

    await expect.poll(() => statusOf('owner')).toBe(404)
    expect(await statusOf('child')).toBe(404)
  })

  it('leaves what has another owner, which is its only one then', async () => {
    const [going, staying] = [await configMap('going'), await configMap('staying')]
    await configMap('child', going, staying)

    await ask('DELETE', `${MAPS}/going?propagationPolicy=Foreground`)

    await expect.poll(() => statusOf('going')).toBe(404)
    const { object } = await ask('GET', `${MAPS}/child`)
    expect(object.metadata.ownerReferences).toEqual([referenceTo(staying)])
  })

  it('who owns itself, through others, is over in the end', async () => {
    const first = await configMap('first')
    const second = await configMap('second', first)
    const third = await configMap('third', second)
    await ask('PUT', `${MAPS}/first`, {
      ...first,
      metadata: { ...first.metadata, ownerReferences: [referenceTo(third)] },
    })

    await ask('DELETE', `${MAPS}/first?propagationPolicy=Foreground`)

    for (const name of ['first', 'second', 'third']) await expect.poll(() => statusOf(name)).toBe(404)
  })

  it('as an orphan leaves them, without the reference', async () => {
    const owner = await configMap('owner')
    await configMap('child', owner)

    await ask('DELETE', `${MAPS}/owner?propagationPolicy=Orphan`)

    await expect.poll(() => statusOf('owner')).toBe(404)
    const { status, object } = await ask('GET', `${MAPS}/child`)
    expect(status).toBe(200)
    expect(object.metadata.ownerReferences).toBeUndefined()
  })
})

describe('an object whose owner never was', () => {
  it('goes', async () => {
    await configMap('lost', { metadata: { name: 'never', uid: '00000000-0000-0000-0000-000000000000' } })

    await expect.poll(() => statusOf('lost')).toBe(404)
  })
})
