import { afterAll, beforeAll, expect, it } from 'vitest'
import { startKube, type TestKube } from 'orrery/kube'

let kube: TestKube
beforeAll(async () => {
  kube = await startKube({ nodes: 1, time: '2026-01-01T00:00:00Z' })
})
afterAll(() => kube.close())

it('a deployment is rolled out within ten seconds', async () => {
  const template = {
    metadata: { labels: { app: 'web' } },
    spec: { containers: [{ name: 'web', image: 'nginx' }] },
  }
  const spec = { replicas: 2, selector: { matchLabels: { app: 'web' } }, template }
  await kube.create([{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec }])

  await kube.time.advance(10_000)

  const { status } = await kube.resource('apps/v1/deployments').get('web', { namespace: 'default' })
  expect(status).toMatchObject({ availableReplicas: 2 })
})
