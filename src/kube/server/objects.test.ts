import { describe, expect, it } from 'vitest'
import { eventually, fixture, GADGETS, widget, WIDGETS } from './fixture.js'

describe('objects', () => {
  it('are created, read, listed, replaced and deleted', async () => {
    const kube = fixture()

    const created = await kube.call('POST', WIDGETS, widget('a', { spec: { size: 1 } }))
    expect(created.status).toBe(201)
    expect(created.headers['content-type']).toBe('application/json')
    expect(created.json).toMatchObject({
      kind: 'Widget',
      apiVersion: 'v1',
      metadata: { name: 'a', namespace: 'default', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { size: 1, color: 'grey' },
    })

    const read = await kube.call('GET', `${WIDGETS}/a`)
    expect(read.body.equals(created.body)).toBe(true)

    const replaced = await kube.call('PUT', `${WIDGETS}/a`, widget('a', { spec: { size: 2 } }))
    expect(replaced.status).toBe(200)
    expect(replaced.json.metadata.generation).toBe(2)
    expect(Number(replaced.json.metadata.resourceVersion)).toBeGreaterThan(
      Number(created.json.metadata.resourceVersion),
    )

    const list = await kube.call('GET', WIDGETS)
    expect(list.json).toMatchObject({ kind: 'WidgetList', apiVersion: 'v1' })
    const { kind: _kind, apiVersion: _apiVersion, ...item } = replaced.json
    expect(list.json.items).toEqual([item])

    const deleted = await kube.call('DELETE', `${WIDGETS}/a`)
    expect(deleted.json).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'a', kind: 'widgets', uid: created.json.metadata.uid },
    })
    expect((await kube.call('GET', `${WIDGETS}/a`)).json).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'widgets "a" not found',
      reason: 'NotFound',
      details: { name: 'a', kind: 'widgets' },
      code: 404,
    })
    expect((await kube.call('GET', WIDGETS)).json.items).toEqual([])
  })

  it('carry kind and apiVersion in lists of custom resources', async () => {
    const kube = fixture()
    const gadget = { kind: 'Gadget', apiVersion: 'ex.io/v1alpha1', metadata: { name: 'g' } }
    await kube.call('POST', GADGETS, gadget)

    const { json } = await kube.call('GET', GADGETS)

    expect(json).toMatchObject({ kind: 'GadgetList', apiVersion: 'ex.io/v1alpha1', items: [gadget] })
  })

  it('are watched from the revision of a list on', async () => {
    const kube = fixture()
    await kube.call('POST', WIDGETS, widget('before'))
    const list = await kube.call('GET', WIDGETS)

    const probe = kube.watch(`${WIDGETS}?watch=1&resourceVersion=${list.json.metadata.resourceVersion}`)
    await kube.call('POST', WIDGETS, widget('a'))
    await kube.call('PUT', `${WIDGETS}/a`, widget('a', { spec: { size: 3 } }))
    await kube.call('DELETE', `${WIDGETS}/a`)

    await eventually(() => expect(probe.events).toHaveLength(3))
    expect(probe.events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED'])
    expect(probe.events[2]?.object).toMatchObject({ kind: 'Widget', spec: { size: 3 } })
    const revisions = probe.events.map(({ object }) => Number(object.metadata.resourceVersion))
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b))
    expect(new Set(revisions).size).toBe(3)
  })
})
