import { CoreV1Api, KubeConfig } from '@kubernetes/client-node'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startKube, type TestKube } from 'orrery/kube'

let kube: TestKube
let core: CoreV1Api
beforeAll(async () => {
  kube = await startKube({ port: 0 })
  const config = new KubeConfig()
  config.loadFromString(kube.kubeconfig ?? '')
  core = config.makeApiClient(CoreV1Api)
})
afterAll(() => kube.close())

it('a write that somebody else was faster with is refused', async () => {
  const body = { metadata: { name: 'settings' }, data: { colour: 'blue' } }
  await core.createNamespacedConfigMap({ namespace: 'default', body })
  kube.faults.conflicts(1, { resource: 'configmaps' })

  const change = () => core.replaceNamespacedConfigMap({ namespace: 'default', name: 'settings', body })
  await expect(change()).rejects.toMatchObject({ code: 409 })
  await expect(change()).resolves.toMatchObject({ data: { colour: 'blue' } })
})
