/** What writes do to an object besides what they say: section 7.6 of the contract. */
import { describe, expect, it } from 'vitest'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { createCatalogue } from '../registry/catalogue.js'
import { eventually, fixture, gadgets, GADGETS, widget, WIDGETS, widgets, widgetStrategy } from './fixture.js'

const MERGE = { 'content-type': 'application/merge-patch+json' }
const JSON_PATCH = { 'content-type': 'application/json-patch+json' }

describe('creating', () => {
  it('ignores what only the server may say', async () => {
    const kube = fixture()

    const { json } = await kube.call(
      'POST',
      WIDGETS,
      widget('a', {
        metadata: {
          uid: 'mine',
          creationTimestamp: '2001-01-01T00:00:00Z',
          generation: 9,
          deletionTimestamp: '2001-01-01T00:00:00Z',
          selfLink: '/mine',
        },
        status: { mine: true },
      }),
    )

    expect(json.metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(json.metadata).toMatchObject({ creationTimestamp: '2026-01-01T00:00:00Z', generation: 1 })
    expect(json.metadata).not.toHaveProperty('deletionTimestamp')
    expect(json.metadata).not.toHaveProperty('selfLink')
    expect(json).not.toHaveProperty('status')
  })

  it('makes names from generateName, none twice', async () => {
    const kube = fixture()
    const body = { kind: 'Widget', apiVersion: 'v1', metadata: { generateName: 'base-' } }

    const names = await Promise.all(
      Array.from({ length: 1000 }, async () => (await kube.call('POST', WIDGETS, body)).json.metadata.name),
    )

    // Two of 20 million names may meet; a client then sees 409 and tries again.
    const made = names.filter((name) => name !== undefined)
    expect(made.length).toBeGreaterThan(995)
    expect(new Set(made).size).toBe(made.length)
    for (const name of made) expect(name).toMatch(/^base-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  })

  it('leaves no trace in a dry run, and asks admission all the same', async () => {
    const seen: string[] = []
    const kube = fixture({
      admission: [
        {
          name: 'spy',
          validate: ({ operation, context }) => void seen.push(`${operation} ${context.dryRun}`),
        },
      ],
    })
    await kube.call('POST', WIDGETS, widget('kept'))
    const before = kube.storage.revision

    const created = await kube.call('POST', `${WIDGETS}?dryRun=All`, widget('a'))
    const updated = await kube.call(
      'PUT',
      `${WIDGETS}/kept?dryRun=All`,
      widget('kept', { spec: { size: 4 } }),
    )
    const patched = await kube.call('PATCH', `${WIDGETS}/kept?dryRun=All`, { spec: { size: 5 } }, MERGE)
    const deleted = await kube.call('DELETE', `${WIDGETS}/kept`, { dryRun: ['All'] })

    expect(created.status).toBe(201)
    expect(created.json.metadata).toMatchObject({ name: 'a', uid: expect.any(String) as string })
    expect(created.json.metadata).not.toHaveProperty('resourceVersion')
    expect([updated.json.spec, patched.json.spec]).toMatchObject([{ size: 4 }, { size: 5 }])
    expect(deleted.json).toMatchObject({ kind: 'Status', status: 'Success' })
    expect(kube.storage.revision).toBe(before)
    expect(seen).toEqual(['CREATE false', 'CREATE true', 'UPDATE true', 'UPDATE true', 'DELETE true'])
    const wrong = await kube.call('POST', `${WIDGETS}?dryRun=Some`, widget('a'))
    expect(wrong.json).toMatchObject({
      code: 422,
      message:
        'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: []string{"Some"}: supported values: "All"',
    })
  })

  it('drops unknown fields with a warning, in silence, or not at all', async () => {
    const kube = fixture()
    const body = widget('a', { bogus: 1 })

    const warned = await kube.call('POST', `${WIDGETS}?dryRun=All`, body)
    const ignored = await kube.call('POST', `${WIDGETS}?dryRun=All&fieldValidation=Ignore`, body)
    const strict = await kube.call('POST', `${WIDGETS}?fieldValidation=Strict`, body)

    expect(warned.headers.warning).toEqual(['299 - "unknown field \\"bogus\\""'])
    expect(warned.json).not.toHaveProperty('bogus')
    expect(ignored.status).toBe(201)
    expect(ignored.headers.warning).toBeUndefined()
    expect(strict.json).toMatchObject({ code: 400, reason: 'BadRequest' })
    expect(strict.json.message).toContain('strict decoding error: unknown field "bogus"')
  })
})

describe('changing', () => {
  it('writes nothing where nothing changes', async () => {
    const kube = fixture()
    const { json } = await kube.call('POST', WIDGETS, widget('a'))
    const probe = kube.watch(`${WIDGETS}?watch=1&resourceVersion=${json.metadata.resourceVersion}`)

    const same = await kube.call('PUT', `${WIDGETS}/a`, json)
    const patched = await kube.call('PATCH', `${WIDGETS}/a`, { spec: { color: 'grey' } }, MERGE)
    await kube.call('PUT', `${WIDGETS}/a`, { ...json, spec: { color: 'red' } })

    expect(same.json).toEqual(json)
    expect(patched.json.metadata.resourceVersion).toBe(json.metadata.resourceVersion)
    await eventually(() => expect(probe.events).toHaveLength(1))
    expect(probe.events[0]).toMatchObject({ type: 'MODIFIED', object: { spec: { color: 'red' } } })
  })

  it('without a resourceVersion is for the kinds that allow it', async () => {
    const kube = fixture()
    await kube.call('POST', WIDGETS, widget('a'))
    const gadget = { kind: 'Gadget', apiVersion: 'ex.io/v1alpha1', metadata: { name: 'g' } }
    await kube.call('POST', GADGETS, gadget)

    expect((await kube.call('PUT', `${WIDGETS}/a`, widget('a', { spec: { size: 1 } }))).status).toBe(200)
    expect((await kube.call('PUT', `${GADGETS}/g`, gadget)).json).toMatchObject({
      code: 422,
      message:
        'gadgets.ex.io "g" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update',
    })
  })

  it('of a missing object is 404, or creates it where the kind says so', async () => {
    const strict = fixture()
    const creating = fixture({
      catalogue: createCatalogue([widgets({ strategy: widgetStrategy({ allowCreateOnUpdate: true }) })]),
    })

    expect((await strict.call('PUT', `${WIDGETS}/new`, widget('new'))).status).toBe(404)
    expect((await creating.call('PUT', `${WIDGETS}/new`, widget('new'))).status).toBe(201)
    expect((await creating.call('PUT', `${WIDGETS}/new`, widget('new'))).status).toBe(200)
  })

  it('of the spec counts generations, of labels and status does not', async () => {
    const kube = fixture()
    await kube.call('POST', WIDGETS, widget('a'))
    const generation = async (path: string, patch: unknown): Promise<unknown> =>
      (await kube.call('PATCH', path, patch, MERGE)).json.metadata.generation

    expect(await generation(`${WIDGETS}/a`, { metadata: { labels: { a: 'b' } } })).toBe(1)
    expect(await generation(`${WIDGETS}/a/status`, { status: { ready: true } })).toBe(1)
    expect(await generation(`${WIDGETS}/a`, { spec: { size: 2 } })).toBe(2)
  })

  it('keeps status and the rest apart', async () => {
    const kube = fixture()
    await kube.call('POST', WIDGETS, widget('a', { spec: { size: 1 } }))

    const status = await kube.call(
      'PUT',
      `${WIDGETS}/a/status`,
      widget('a', { spec: { size: 7 }, status: { n: 1 } }),
    )
    const main = await kube.call('PUT', `${WIDGETS}/a`, widget('a', { spec: { size: 2 }, status: { n: 2 } }))

    expect(status.json).toMatchObject({ spec: { size: 1 }, status: { n: 1 } })
    expect(main.json).toMatchObject({ spec: { size: 2 }, status: { n: 1 } })
  })

  it('refuses another uid', async () => {
    const kube = fixture()
    await kube.call('POST', WIDGETS, widget('a'))

    const { json } = await kube.call('PUT', `${WIDGETS}/a`, widget('a', { metadata: { uid: 'other' } }))

    expect(json).toMatchObject({ code: 409, reason: 'Conflict' })
    expect(json.message).toContain('Precondition failed: UID in precondition: other, UID in object meta: ')
  })

  it('loses none of many patches at once', async () => {
    const kube = fixture()
    await kube.call('POST', WIDGETS, widget('a'))

    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        kube.call('PATCH', `${WIDGETS}/a`, { data: { [`k${i}`]: i } }, MERGE),
      ),
    )

    const { json } = await kube.call('GET', `${WIDGETS}/a`)
    expect(Object.keys(json.data as object)).toHaveLength(50)
  })
})

describe('patching', () => {
  it('answers a failed test with 422, and obeys null in a merge patch', async () => {
    const kube = fixture()
    await kube.call('POST', WIDGETS, widget('a', { data: { x: '1', y: '2' } }))

    const test = [{ op: 'test', path: '/data/x', value: '9' }]
    expect((await kube.call('PATCH', `${WIDGETS}/a`, test, JSON_PATCH)).json).toMatchObject({
      code: 422,
      message: 'the server rejected our request due to an error in our request',
    })
    const merged = await kube.call('PATCH', `${WIDGETS}/a`, { data: { x: null } }, MERGE)
    expect(merged.json.data).toEqual({ y: '2' })
    const replaced = [{ op: 'replace', path: '/data/y', value: '3' }]
    expect((await kube.call('PATCH', `${WIDGETS}/a`, replaced, JSON_PATCH)).json.data).toEqual({ y: '3' })
  })

  it('with a resourceVersion locks; without it does not', async () => {
    const kube = fixture()
    await kube.call('POST', WIDGETS, widget('a'))
    const patch = { metadata: { resourceVersion: '1' }, data: { a: 1 } }

    expect((await kube.call('PATCH', `${WIDGETS}/a`, patch, MERGE)).json).toMatchObject({
      code: 409,
      reason: 'Conflict',
    })
    expect((await kube.call('PATCH', `${WIDGETS}/a`, { data: { a: 1 } }, MERGE)).status).toBe(200)
  })

  it('changes neither name nor kind, and makes no object', async () => {
    const kube = fixture()
    await kube.call('POST', WIDGETS, widget('a'))

    expect((await kube.call('PATCH', `${WIDGETS}/a`, { metadata: { name: 'e' } }, MERGE)).json.message).toBe(
      'the name of the object (e) does not match the name on the URL (a)',
    )
    expect((await kube.call('PATCH', `${WIDGETS}/a`, { kind: 'Gadget' }, MERGE)).status).toBe(400)
    expect((await kube.call('PATCH', `${WIDGETS}/absent`, {}, MERGE)).status).toBe(404)
    expect((await kube.call('PATCH', `${WIDGETS}/a?force=true`, {}, MERGE)).json).toMatchObject({
      code: 422,
      message:
        'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    })
  })
})

describe('deleting', () => {
  const finalizers = ['ex.io/hold']

  it('waits for finalizers, lets none be added, and ends with the last', async () => {
    const kube = fixture()
    const { json: created } = await kube.call('POST', WIDGETS, widget('a', { metadata: { finalizers } }))
    const probe = kube.watch(`${WIDGETS}?watch=1&resourceVersion=${created.metadata.resourceVersion}`)

    const deleted = await kube.call('DELETE', `${WIDGETS}/a`)
    expect(deleted.status).toBe(200)
    expect(deleted.json).toMatchObject({
      kind: 'Widget',
      metadata: {
        deletionTimestamp: '2026-01-01T00:00:00Z',
        deletionGracePeriodSeconds: 0,
        finalizers,
        generation: 2,
      },
    })
    const again = await kube.call('DELETE', `${WIDGETS}/a`)
    expect(again.json).toEqual(deleted.json)
    const added = { metadata: { finalizers: [...finalizers, 'ex.io/more'] } }
    expect((await kube.call('PATCH', `${WIDGETS}/a`, added, MERGE)).json.message).toContain(
      'Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"ex.io/more"}',
    )
    const last = await kube.call('PATCH', `${WIDGETS}/a`, { metadata: { finalizers: [] } }, MERGE)
    expect(last.status).toBe(200)
    expect(last.json.metadata.resourceVersion).toBe(deleted.json.metadata.resourceVersion)
    expect((await kube.call('GET', `${WIDGETS}/a`)).status).toBe(404)

    await eventually(() => expect(probe.events.map(({ type }) => type)).toEqual(['MODIFIED', 'DELETED']))
    expect(Number(probe.events[1]?.object.metadata.resourceVersion)).toBe(kube.storage.revision)
  })

  it('heeds preconditions, in the words of the kind', async () => {
    const kube = fixture()
    const { json } = await kube.call('POST', WIDGETS, widget('a'))

    const uid = await kube.call('DELETE', `${WIDGETS}/a`, { preconditions: { uid: 'bad' } })
    const version = await kube.call('DELETE', `${WIDGETS}/a`, { preconditions: { resourceVersion: '1' } })

    expect(uid.json).toMatchObject({
      code: 409,
      details: { name: 'a', kind: 'Widget' },
      message: `Operation cannot be fulfilled on Widget "a": the UID in the precondition (bad) does not match the UID in record (${json.metadata.uid}). The object might have been deleted and then recreated`,
    })
    expect(version.status).toBe(409)
    const right = {
      preconditions: { uid: json.metadata.uid, resourceVersion: json.metadata.resourceVersion },
    }
    expect((await kube.call('DELETE', `${WIDGETS}/a`, right)).status).toBe(200)
  })

  it.each([
    ['Foreground', 'foregroundDeletion'],
    ['Orphan', 'orphan'],
  ])('%s leaves the rest to the garbage collector', async (propagationPolicy, finalizer) => {
    const kube = fixture()
    await kube.call('POST', WIDGETS, widget('a'))

    const { json } = await kube.call('DELETE', `${WIDGETS}/a`, { propagationPolicy })

    expect(json.metadata).toMatchObject({
      finalizers: [finalizer],
      deletionTimestamp: expect.any(String) as string,
    })
    const byQuery = fixture()
    await byQuery.call('POST', WIDGETS, widget('a'))
    const query = await byQuery.call('DELETE', `${WIDGETS}/a?propagationPolicy=${propagationPolicy}`)
    expect(query.json.metadata.finalizers).toEqual([finalizer])
  })

  it('gives a grace period where the kind has one, which may only get shorter', async () => {
    const graceful = widgetStrategy({
      gracePeriodSeconds: (object) => ((object as KubeObject & { data?: object }).data ? 30 : undefined),
    })
    const kube = fixture({ catalogue: createCatalogue([widgets({ strategy: graceful })]) })
    await kube.call('POST', WIDGETS, widget('bound', { data: {} }))
    await kube.call('POST', WIDGETS, widget('free'))

    expect((await kube.call('DELETE', `${WIDGETS}/free`)).json.status).toBe('Success')
    const first = await kube.call('DELETE', `${WIDGETS}/bound`)
    expect(first.json.metadata).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:30Z',
      deletionGracePeriodSeconds: 30,
    })
    const longer = await kube.call('DELETE', `${WIDGETS}/bound`, { gracePeriodSeconds: 60 })
    expect(longer.json.metadata.deletionGracePeriodSeconds).toBe(30)
    const shorter = await kube.call('DELETE', `${WIDGETS}/bound`, { gracePeriodSeconds: 5 })
    expect(shorter.json.metadata).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:05Z',
      deletionGracePeriodSeconds: 5,
    })
    expect((await kube.call('DELETE', `${WIDGETS}/bound`, { gracePeriodSeconds: 0 })).json.status).toBe(
      'Success',
    )
    expect((await kube.call('GET', `${WIDGETS}/bound`)).status).toBe(404)
  })

  it('of a collection takes what is selected and answers with it', async () => {
    const kube = fixture()
    for (const [name, app] of [
      ['a', 'x'],
      ['b', 'y'],
      ['c', 'x'],
    ]) {
      await kube.call('POST', WIDGETS, widget(name ?? '', { metadata: { labels: { app } } }))
    }

    const { json } = await kube.call('DELETE', `${WIDGETS}?labelSelector=app%3Dx`)

    expect(json.kind).toBe('WidgetList')
    const names = (items: unknown): unknown[] => (items as KubeObject[]).map(({ metadata }) => metadata.name)
    expect(names(json.items)).toEqual(['a', 'c'])
    expect(names((await kube.call('GET', WIDGETS)).json.items)).toEqual(['b'])
  })
})

describe('scale', () => {
  const scale = {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.spec.selector',
  }
  const catalogue = createCatalogue([widgets({ scale }), { ...gadgets(), scale }])

  it('reads and writes its parent', async () => {
    const kube = fixture({ catalogue })
    await kube.call(
      'POST',
      WIDGETS,
      widget('a', { spec: { replicas: 2, selector: { matchLabels: { app: 'x' } } } }),
    )

    const read = await kube.call('GET', `${WIDGETS}/a/scale`)
    expect(read.json).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { name: 'a', namespace: 'default' },
      spec: { replicas: 2 },
      status: { replicas: 0, selector: 'app=x' },
    })
    const patched = await kube.call('PATCH', `${WIDGETS}/a/scale`, { spec: { replicas: 5 } }, MERGE)
    expect(patched.json.spec).toEqual({ replicas: 5 })
    const stale = await kube.call('PUT', `${WIDGETS}/a/scale`, read.json)
    expect(stale.status).toBe(409)
    const put = await kube.call('PUT', `${WIDGETS}/a/scale`, { ...patched.json, spec: { replicas: 3 } })
    expect(put.json.spec).toEqual({ replicas: 3 })
    expect((await kube.call('GET', `${WIDGETS}/a`)).json).toMatchObject({
      spec: { replicas: 3 },
      metadata: { generation: 3 },
    })
    const negative = await kube.call('PATCH', `${WIDGETS}/a/scale`, { spec: { replicas: -1 } }, MERGE)
    expect(negative.json.message).toBe(
      'Scale.autoscaling "a" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    )
  })

  it('is there only where the kind has one', async () => {
    const kube = fixture()
    await kube.call('POST', WIDGETS, widget('a'))

    expect((await kube.call('GET', `${WIDGETS}/a/scale`)).status).toBe(404)
  })
})
