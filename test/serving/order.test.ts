/** The classic experiment: one request, traced through the chain as an allowed and as a refused caller. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Type } from 'typebox'
import { route } from '../../src/serving/route.js'
import { type Harness, start } from './harness.js'

const PATH = '/kapis/monitoring.kubesphere.io/v1alpha3/clusterdashboards/test1/template'

describe('the order of filters', () => {
  let platform: Harness
  beforeAll(async () => {
    const template = route({
      method: 'POST',
      path: '/clusterdashboards/{dashboard}/template',
      summary: 'Convert a Grafana template to a dashboard.',
      access: 'authorized',
      body: Type.Object({}),
      handle: ({ params, body }) => ({ made: params.dashboard, from: body }),
    })
    const root = '/kapis/monitoring.kubesphere.io/v1alpha3'
    platform = await start({ groups: [{ root, title: 'Monitoring', errors: 'text', routes: [template] }] })
  })
  afterAll(() => platform.close())

  const post = (user: string) =>
    platform.send('POST', PATH, {
      user,
      body: '{"grafanaDashboardUrl":""}',
      headers: { 'Content-Type': 'application/json' },
    })
  const lastTrace = () => platform.seen.at(-1)?.trace.filter((name) => name !== 'test')

  it('passes an allowed caller through all of them to the route', async () => {
    const answer = await post('admin')

    expect(answer.status).toBe(200)
    expect(answer.json()).toEqual({ made: 'test1', from: { grafanaDashboardUrl: '' } })
    expect(lastTrace()).toEqual([
      'request log',
      'metrics',
      'request info',
      'authentication',
      'overload',
      'cluster dispatch',
      'authorization',
      'audit',
      'kubernetes guard',
      'kubernetes proxy',
      'api groups',
    ])
  })

  it('stops a refused caller at authorization, before audit and before the body is read', async () => {
    const answer = await post('bob')

    expect(answer.status).toBe(403)
    expect(answer.json()).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message:
        'clusterdashboards.monitoring.kubesphere.io "test1" is forbidden: User "bob" cannot create resource "clusterdashboards/template" in API group "monitoring.kubesphere.io" at the cluster scope',
      reason: 'Forbidden',
      details: { name: 'test1', group: 'monitoring.kubesphere.io', kind: 'clusterdashboards' },
      code: 403,
    })
    expect(lastTrace()).toEqual([
      'request log',
      'metrics',
      'request info',
      'authentication',
      'overload',
      'cluster dispatch',
      'authorization',
    ])
  })

  it('stops a caller with wrong credentials at authentication', async () => {
    const answer = await post('bad')

    expect(answer.status).toBe(401)
    expect(lastTrace()?.at(-1)).toBe('authentication')
  })
})
