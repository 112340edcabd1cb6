/** What the conformance suite of Kubernetes found here, each told as its users would have seen it. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { clientRequest } from './admission/fixture.js'
import { type KubeObject, startKube, type TestKube } from './testing/index.js'

let kube: TestKube

beforeEach(async () => {
  kube = await startKube({ nodes: 1 })
})
afterEach(() => kube.close())

const NAMESPACE = 'default'
const labels = { app: 'web' }
const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'nginx' }] } }

it('events are found by who reports them, under both of their names', async () => {
  await kube.create([
    {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'e', namespace: NAMESPACE },
      regarding: { kind: 'Pod', name: 'p', namespace: NAMESPACE },
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'tester',
      reportingInstance: 'tester-1',
      action: 'Try',
      reason: 'Tried',
      type: 'Normal',
    },
  ])

  for (const [resource, selector] of [
    ['events.k8s.io/v1/events', 'reportingController=tester'],
    ['events.k8s.io/v1/events', 'regarding.name=p,reason=Tried'],
    ['v1/events', 'source=tester'],
    ['v1/events', 'involvedObject.name=p'],
  ] as const) {
    const { items } = await kube.resource(resource).list({ namespace: NAMESPACE, fieldSelector: selector })
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['e'])
  }
})

it('an approval of a signing request writes its annotations along', async () => {
  const approval = { type: 'Approved', status: 'True', reason: 'Test' }
  const request = clientRequest('r', 'someone', [])
  await kube.create([
    { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', ...request } as KubeObject,
  ])

  const { body } = await kube.client.raw(
    'PATCH',
    '/apis/certificates.k8s.io/v1/certificatesigningrequests/r/approval',
    {
      headers: { 'content-type': 'application/merge-patch+json' },
      body: Buffer.from(
        JSON.stringify({ metadata: { annotations: { by: 'me' } }, status: { conditions: [approval] } }),
      ),
    },
  )

  expect(JSON.parse(body.toString())).toMatchObject({
    metadata: { annotations: { by: 'me' } },
    status: { conditions: [approval] },
  })
})

it('the labels of a Deployment are not written with its status', async () => {
  const spec = { replicas: 0, selector: { matchLabels: labels }, template }
  const metadata = { name: 'web', namespace: NAMESPACE, labels: { kept: 'yes' } }
  await kube.create([{ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec }])

  await kube.client.raw('PATCH', `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/web/status`, {
    headers: { 'content-type': 'application/merge-patch+json' },
    body: Buffer.from(JSON.stringify({ metadata: { labels: { kept: 'no', other: 'x' } } })),
  })

  const { metadata: after } = await kube.resource('apps/v1/deployments').get('web', { namespace: NAMESPACE })
  expect(after.labels).toEqual({ kept: 'yes' })
})

it('revisions beyond what a double can tell apart are counted on', async () => {
  const revision = '3546343826724305832'
  const name = 'old'
  const annotations = { 'deployment.kubernetes.io/revision': revision }
  const set = { replicas: 1, selector: { matchLabels: labels }, template }
  const changed = { ...template, spec: { containers: [{ name: 'main', image: 'other' }] } }
  await kube.create([
    {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name, annotations, labels, namespace: NAMESPACE },
      spec: set,
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: NAMESPACE },
      spec: { ...set, template: changed },
    },
  ] as KubeObject[])

  const found = async () =>
    (await kube.resource('apps/v1/deployments').get('web', { namespace: NAMESPACE })).metadata.annotations?.[
      'deployment.kubernetes.io/revision'
    ]
  await expect.poll(found).toBe('3546343826724305833')
})

it('a workload that its quota refuses does not try again as fast as it can', async () => {
  const hard = { pods: '1' }
  await kube.create([
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'q', namespace: NAMESPACE },
      spec: { hard },
    },
  ] as KubeObject[])
  const quota = () => kube.resource('v1/resourcequotas').get('q', { namespace: NAMESPACE })
  await expect.poll(async () => (await quota())['status']).toMatchObject({ hard })
  const spec = { replicas: 3, selector: labels, template }
  await kube.create([
    { apiVersion: 'v1', kind: 'ReplicationController', metadata: { name: 'rc', namespace: NAMESPACE }, spec },
  ] as KubeObject[])
  const conditions = async () =>
    (await kube.resource('v1/replicationcontrollers').get('rc', { namespace: NAMESPACE }))['status']
  await expect.poll(conditions).toMatchObject({ conditions: [{ type: 'ReplicaFailure', status: 'True' }] })
  await kube.settled()

  const before = (await quota()).metadata.resourceVersion
  await kube.settled()
  const events = await kube.resource('v1/events').list({ namespace: NAMESPACE })
  expect((await quota()).metadata.resourceVersion).toBe(before)
  expect(events.items.filter((event) => event['reason'] === 'FailedCreate').length).toBeLessThan(20)
})
