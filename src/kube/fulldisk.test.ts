import { afterEach, expect, it } from 'vitest'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { send } from '../client/transport.js'
import { type Kube, startKube } from './index.js'
import { openUnlocked } from './storage/file/index.js'
import { SimulatedDisk } from './storage/file/simulateddisk.js'

let kube: Kube | undefined
afterEach(() => kube?.close())

it('on a full disk reads go on, writes answer 507, and all is well when there is room again', async () => {
  const disk = new SimulatedDisk()
  const storage = await openUnlocked({ directory: '/store', fileSystem: disk })
  const running = (kube = await startKube({ storage, controllers: false }))
  const ask = async (method: string, path: string, name?: string) => {
    const body = name && { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }
    const answer = await send(running.transport, {
      ...{ method, path, headers: { 'content-type': 'application/json' }, user: running.adminUser },
      ...(body && { body: Buffer.from(JSON.stringify(body)) }),
    })
    return {
      status: answer.status,
      object: JSON.parse(answer.body.toString()) as KubeObject & { reason?: string },
    }
  }
  const maps = '/api/v1/namespaces/default/configmaps'
  expect((await ask('POST', maps, 'before')).status).toBe(201)

  disk.freeBytes = 100
  const refused = await ask('POST', maps, 'refused')
  expect(refused).toMatchObject({ status: 507, object: { kind: 'Status', reason: 'InsufficientStorage' } })
  expect((await ask('DELETE', `${maps}/before`)).status).toBe(507)
  expect((await ask('GET', `${maps}/before`)).status).toBe(200)
  expect((await ask('GET', `${maps}/refused`)).status).toBe(404)

  disk.freeBytes = Infinity
  expect((await ask('POST', maps, 'after')).status).toBe(201)
  expect((await ask('GET', `${maps}/refused`)).status).toBe(404)
  await storage.close()
})
