/** Lists, their revisions and pages: sections 7.3 and 7.4 of the contract. */
import { beforeAll, describe, expect, it } from 'vitest'
import { type KubeObject, type ListMeta } from '../../apimachinery/meta/types.js'
import { type Answer, type Fixture, fixture, GADGETS, widget, WIDGETS } from './fixture.js'

function names(answer: Answer): (string | undefined)[] {
  return (answer.json.items as KubeObject[]).map(({ metadata }) => metadata.name)
}

const meta = (answer: Answer): ListMeta => answer.json.metadata

async function seven(): Promise<Fixture> {
  const kube = fixture()
  for (let i = 0; i < 7; i++) {
    await kube.call('POST', WIDGETS, widget(`w${i}`, { metadata: { labels: { n: String(i) } } }))
  }
  return kube
}

describe('pages', () => {
  it('are cut from one snapshot, whatever is written meanwhile', async () => {
    const kube = await seven()

    const first = await kube.call('GET', `${WIDGETS}?limit=2`)
    expect(names(first)).toEqual(['w0', 'w1'])
    expect(meta(first).remainingItemCount).toBe(5)
    expect(JSON.parse(Buffer.from(meta(first).continue ?? '', 'base64url').toString())).toEqual({
      v: 'meta.k8s.io/v1',
      rv: Number(meta(first).resourceVersion),
      start: 'w1\u0000',
    })
    await kube.call('DELETE', `${WIDGETS}/w3`)
    await kube.call('POST', WIDGETS, widget('w25'))
    await kube.call('PUT', `${WIDGETS}/w4`, widget('w4', { spec: { size: 9 } }))

    const second = await kube.call('GET', `${WIDGETS}?limit=2&continue=${meta(first).continue}`)
    const third = await kube.call('GET', `${WIDGETS}?limit=2&continue=${meta(second).continue}`)
    const fourth = await kube.call('GET', `${WIDGETS}?limit=2&continue=${meta(third).continue}`)

    expect([second, third, fourth].map(names)).toEqual([['w2', 'w3'], ['w4', 'w5'], ['w6']])
    expect([second, third, fourth].map((page) => meta(page).remainingItemCount)).toEqual([3, 1, undefined])
    expect(meta(fourth)).not.toHaveProperty('continue')
    expect(new Set([first, second, third, fourth].map((page) => meta(page).resourceVersion)).size).toBe(1)
    expect((third.json.items as { spec: object }[])[0]?.spec).toEqual({ color: 'grey' })
  })

  it('count nothing under a selector, and go on where the last match was', async () => {
    const kube = await seven()
    const selector = 'labelSelector=n%20notin%20(1,2)'

    const first = await kube.call('GET', `${WIDGETS}?limit=2&${selector}`)
    const second = await kube.call('GET', `${WIDGETS}?limit=2&${selector}&continue=${meta(first).continue}`)
    const third = await kube.call('GET', `${WIDGETS}?limit=2&${selector}&continue=${meta(second).continue}`)

    expect([first, second, third].map(names)).toEqual([['w0', 'w3'], ['w4', 'w5'], ['w6']])
    expect(meta(first)).not.toHaveProperty('remainingItemCount')
    expect(meta(third)).not.toHaveProperty('continue')
  })

  it('whose snapshot is gone are 410 with a token that goes on', async () => {
    const kube = await seven()
    const first = await kube.call('GET', `${WIDGETS}?limit=2`)
    await kube.call('POST', WIDGETS, widget('w25'))
    kube.storage.compact(kube.storage.revision)

    const expired = await kube.call('GET', `${WIDGETS}?limit=9&continue=${meta(first).continue}`)
    const token = meta(expired).continue
    const rest = await kube.call('GET', `${WIDGETS}?limit=9&continue=${token}`)

    expect(expired.json).toMatchObject({ code: 410, reason: 'Expired' })
    expect(names(rest)).toEqual(['w2', 'w25', 'w3', 'w4', 'w5', 'w6'])
    expect(meta(rest).resourceVersion).toBe(String(kube.storage.revision))
  })

  it.each([
    [
      'continue=zzz',
      "invalid continue token: continue key is not valid: invalid character 'Ï' looking for beginning of value",
    ],
    [
      'continue=%21',
      'invalid continue token: continue key is not valid: illegal base64 data at input byte 0',
    ],
    ['limit=x', 'strconv.ParseInt: parsing "x": invalid syntax'],
    [
      `continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":5,"start":"../x"}').toString('base64url')}`,
      'invalid continue token: continue key is not valid: ../x',
    ],
  ])('refuse %s', async (query, message) => {
    const { json } = await fixture().call('GET', `${WIDGETS}?${query}`)

    expect(json).toMatchObject({ code: 400, reason: 'BadRequest', message })
  })

  it('have no limit at 0 and below', async () => {
    const kube = await seven()

    expect(names(await kube.call('GET', `${WIDGETS}?limit=0`))).toHaveLength(7)
    expect(names(await kube.call('GET', `${WIDGETS}?limit=-1`))).toHaveLength(7)
  })
})

describe('the resourceVersion of a list', () => {
  let kube: Fixture
  let early: string
  beforeAll(async () => {
    kube = await seven()
    early = String((await kube.call('GET', `${WIDGETS}/w3`)).json.metadata.resourceVersion)
  })
  const list = (query: string): Promise<Answer> => kube.call('GET', `${WIDGETS}?${query}`)

  it('is the revision of the store, not of an item', async () => {
    await kube.call('POST', GADGETS, {
      kind: 'Gadget',
      apiVersion: 'ex.io/v1alpha1',
      metadata: { name: 'other' },
    })

    expect(meta(await list('')).resourceVersion).toBe(String(kube.storage.revision))
  })

  it('0 takes what is there, N nothing older', async () => {
    expect(names(await list('resourceVersion=0'))).toHaveLength(7)
    expect(names(await list(`resourceVersion=${early}`))).toHaveLength(7)
    expect(names(await list(`resourceVersion=${early}&resourceVersionMatch=NotOlderThan`))).toHaveLength(7)
  })

  it('N with Exact, or with a limit, is that snapshot', async () => {
    const exact = await list(`resourceVersion=${early}&resourceVersionMatch=Exact`)

    expect(names(exact)).toEqual(['w0', 'w1', 'w2', 'w3'])
    expect(meta(exact).resourceVersion).toBe(early)
    expect(names(await list(`resourceVersion=${early}&limit=3`))).toEqual(['w0', 'w1', 'w2'])
    const last = await list(`resourceVersion=${early}&limit=4`)
    expect(meta(last)).not.toHaveProperty('continue')
  })

  it('in the future is waited for, then 504', async () => {
    const { json, headers } = await list('resourceVersion=999999')

    expect(json).toMatchObject({
      code: 504,
      reason: 'Timeout',
      message: `Timeout: Too large resource version: 999999, current: ${kube.storage.revision}`,
      details: {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
        retryAfterSeconds: 1,
      },
    })
    expect(headers['retry-after']).toBe('1')
  })

  it('that is no number is 400', async () => {
    expect((await list('resourceVersion=abc')).json).toMatchObject({
      code: 400,
      message: 'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
    })
  })

  it.each([
    ['resourceVersionMatch=Exact', 'resourceVersionMatch is forbidden unless resourceVersion is provided'],
    [
      'resourceVersion=0&resourceVersionMatch=Exact',
      'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
  ])('makes no sense as %s', async (query, why) => {
    expect((await list(query)).json).toMatchObject({
      code: 422,
      message: `ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: ${why}`,
    })
  })

  it('does not go with continue', async () => {
    const token = meta(await list('limit=1')).continue

    expect((await list(`limit=1&resourceVersion=${early}&continue=${token}`)).json).toMatchObject({
      code: 400,
      message: 'specifying resource version is not allowed when using continue',
    })
  })

  it('that is compacted is 410 for Exact', async () => {
    const other = await seven()
    other.storage.compact(other.storage.revision)

    const { json } = await other.call('GET', `${WIDGETS}?resourceVersion=3&resourceVersionMatch=Exact`)

    expect(json).toMatchObject({ code: 410, reason: 'Expired' })
    expect(json.message).toMatch(/^too old resource version: 3 \(\d+\)$/)
  })
})

describe('selectors', () => {
  let kube: Fixture
  beforeAll(async () => {
    kube = fixture()
    await kube.call(
      'POST',
      WIDGETS,
      widget('a', { metadata: { labels: { app: 'x', tier: 'f' } }, spec: { color: 'red' } }),
    )
    await kube.call('POST', WIDGETS, widget('b', { metadata: { labels: { app: 'y' } } }))
    await kube.call('POST', WIDGETS, widget('c'))
    await kube.call('POST', WIDGETS.replace('default', 'other'), widget('a', { spec: { color: 'red' } }))
  })

  it.each([
    ['app=x', ['a']],
    ['app==x', ['a']],
    ['app!=x', ['b', 'c']],
    ['app in (x,y)', ['a', 'b']],
    ['app notin (x)', ['b', 'c']],
    ['app', ['a', 'b']],
    ['!app', ['c']],
    ['app=x,tier!=f', []],
  ])('%s', async (selector, expected) => {
    expect(names(await kube.call('GET', `${WIDGETS}?labelSelector=${encodeURIComponent(selector)}`))).toEqual(
      expected,
    )
  })

  it.each([
    [WIDGETS, 'metadata.name=b', ['b']],
    [WIDGETS, 'metadata.name!=b', ['a', 'c']],
    ['/api/v1/widgets', 'metadata.name=a', ['a', 'a']],
    ['/api/v1/widgets', 'metadata.namespace=other', ['a']],
    ['/api/v1/widgets', 'spec.color=red', ['a', 'a']],
    [WIDGETS, 'spec.color=red,metadata.name=b', []],
    [WIDGETS, 'metadata.name=absent', []],
  ])('%s by field %s', async (path, selector, expected) => {
    expect(names(await kube.call('GET', `${path}?fieldSelector=${encodeURIComponent(selector)}`))).toEqual(
      expected,
    )
  })

  it('refuse fields that the kind does not offer', async () => {
    expect((await kube.call('GET', `${WIDGETS}?fieldSelector=data.a=1`)).json).toMatchObject({
      code: 400,
      message: 'field label not supported: data.a',
    })
  })

  it('list all namespaces sorted by namespace, then name', async () => {
    expect(names(await kube.call('GET', '/api/v1/widgets'))).toEqual(['a', 'b', 'c', 'a'])
    const first = await kube.call('GET', '/api/v1/widgets?limit=3')
    const rest = await kube.call('GET', `/api/v1/widgets?limit=3&continue=${meta(first).continue}`)
    expect((rest.json.items as KubeObject[])[0]?.metadata.namespace).toBe('other')
  })
})

describe('forms', () => {
  it('go out in YAML and come back the same', async () => {
    const kube = fixture()
    await kube.call(
      'POST',
      WIDGETS,
      widget('a', { data: { text: 'yes\n', number: 1.5, list: [null, 'no', '007'] } }),
    )
    const yaml = { accept: 'application/yaml', 'content-type': 'application/yaml' }

    const read = await kube.call('GET', `${WIDGETS}/a`, undefined, yaml)
    expect(read.headers['content-type']).toBe('application/yaml')
    expect(read.body.toString()).toMatch(/^apiVersion: v1\ndata:\n {2}list:\n {2}- null\n {2}- "no"\n/)
    const put = await kube.call('PUT', `${WIDGETS}/a`, read.body, yaml)
    const json = await kube.call('GET', `${WIDGETS}/a`)

    expect(put.status).toBe(200)
    expect(put.body.equals(read.body)).toBe(true)
    expect(json.json.data).toEqual({ text: 'yes\n', number: 1.5, list: [null, 'no', '007'] })
    const posted = 'kind: Widget\napiVersion: v1\nmetadata: {name: b}\ndata: {on: yes}\n'
    expect(
      (await kube.call('POST', WIDGETS, posted, { 'content-type': 'application/yaml' })).json.data,
    ).toEqual({
      true: true,
    })
  })

  it('are indented for people', async () => {
    const kube = fixture()
    await kube.call('POST', WIDGETS, widget('a'))

    for (const [query, agent, pretty] of [
      ['', 'kubectl/v1.32', false],
      ['', 'curl/8.0', true],
      ['?pretty=true', 'kubectl/v1.32', true],
      ['?pretty=false', 'curl/8.0', false],
    ] as const) {
      const { body } = await kube.call('GET', `${WIDGETS}/a${query}`, undefined, { 'user-agent': agent })
      expect(body.toString().startsWith('{\n  "kind"')).toBe(pretty)
    }
  })

  it('are tables of what kubectl prints', async () => {
    const kube = fixture()
    await kube.call('POST', WIDGETS, widget('a', { spec: { color: 'red' } }))
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

    const list = await kube.call('GET', WIDGETS, undefined, { accept })
    const one = await kube.call('GET', `${WIDGETS}/a?includeObject=Object`, undefined, { accept })
    const none = await kube.call('GET', `${WIDGETS}?includeObject=None`, undefined, { accept })
    const bogus = await kube.call('GET', `${WIDGETS}?includeObject=Bogus`, undefined, { accept })

    expect(list.headers['content-type']).toBe('application/json')
    expect(list.json).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: String(kube.storage.revision) },
      columnDefinitions: [{ name: 'Name', type: 'string', format: 'name', priority: 0 }, { name: 'Color' }],
      rows: [
        {
          cells: ['a', 'red'],
          object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'a' } },
        },
      ],
    })
    expect((one.json.rows as { object: unknown }[])[0]?.object).toMatchObject({
      kind: 'Widget',
      spec: { color: 'red' },
    })
    expect((none.json.rows as { object: unknown }[])[0]?.object).toBeNull()
    expect(bogus.json).toMatchObject({ code: 400, reason: 'BadRequest' })
  })

  it('are metadata alone', async () => {
    const kube = fixture()
    await kube.call('POST', WIDGETS, widget('a'))
    const as = (kind: string): { accept: string } => ({
      accept: `application/json;as=${kind};v=v1;g=meta.k8s.io`,
    })

    const one = await kube.call('GET', `${WIDGETS}/a`, undefined, as('PartialObjectMetadata'))
    const list = await kube.call('GET', WIDGETS, undefined, as('PartialObjectMetadataList'))

    expect(one.json).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'a' } })
    expect(one.json).not.toHaveProperty('spec')
    expect(list.json).toMatchObject({
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      items: [one.json],
    })
  })
})
