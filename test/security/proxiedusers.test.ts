/** Users at the Kubernetes API behind the platform: the same rules as at the platform's own routes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { send } from '../../src/client/transport.js'
import { eventually, good, userObject } from '../fixtures/cast.js'
import { type Answer, type Client, PASSWORD, type Product, startProduct } from '../fixtures/product.js'

const IAM = '/kapis/iam.kubesphere.io/v1alpha2'
const USERS = '/apis/iam.kubesphere.io/v1alpha2/users'
const UNINITIALIZED = 'iam.kubesphere.io/uninitialized'
const MARK = '/metadata/annotations/iam.kubesphere.io~1uninitialized'
const HASH = /\$2[aby]\$\d\d\$/
const NEW = 'Another1pass'
const apiVersion = 'iam.kubesphere.io/v1alpha2'

let product: Product
let root: Client
let um: Client

beforeAll(async () => {
  product = await startProduct()
  root = await product.as('admin')
  good(await root.post(`${IAM}/users`, userObject('um', 'users-manager')))
  um = await product.as('um')
})

afterAll(() => product.close())

async function person(name: string, annotations: Record<string, string> = {}): Promise<Client> {
  const user = userObject(name, 'platform-regular') as { metadata: { annotations: object } }
  Object.assign(user.metadata.annotations, annotations)
  good(await root.post(`${IAM}/users`, user))
  return product.as(name)
}

const jsonPatch = (as: Client, name: string, ...operations: object[]): Promise<Answer> =>
  as.request('PATCH', `${USERS}/${name}`, operations, { 'content-type': 'application/json-patch+json' })

describe('the first login', () => {
  it('replaces the password and takes the mark away', async () => {
    const own = await person('fresh', { [UNINITIALIZED]: 'true' })

    const answer = await jsonPatch(
      own,
      'fresh',
      { op: 'remove', path: MARK },
      { op: 'replace', path: '/spec/password', value: NEW },
    )

    expect(answer.status).toBe(200)
    expect(answer.text).not.toMatch(HASH)
    expect(answer.text).not.toContain(NEW)
    // What is written at a Kubernetes API comes back with the watch.
    await eventually(async () => expect((await product.login('fresh', NEW)).status).toBe(200))
    expect((await product.login('fresh')).status).toBe(400)
    expect((await own.get(`${IAM}/users/fresh`)).status).toBe(401)
    const { json } = await root.get(`${USERS}/fresh`)
    expect(json.metadata.annotations).not.toHaveProperty([UNINITIALIZED])
  })

  it('may take the mark away alone', async () => {
    const own = await person('content', { [UNINITIALIZED]: 'true' })

    good(await jsonPatch(own, 'content', { op: 'remove', path: MARK }))

    await eventually(async () => {
      const { json } = await own.get(`${IAM}/users/content`)
      expect(json.metadata.annotations).not.toHaveProperty([UNINITIALIZED])
    })
    expect((await product.login('content')).status).toBe(200)
  })

  it('wants a good password', async () => {
    const own = await person('weak', { [UNINITIALIZED]: 'true' })
    const hash = '$2a$10$zcHepmzfKPoxCVCYZr5K7ORPZZ/ySe9p/7IUb/8u./xHrnSX2LOCO'

    for (const value of ['weak', hash])
      expect((await jsonPatch(own, 'weak', { op: 'replace', path: '/spec/password', value })).status).toBe(
        422,
      )
    expect((await product.login('weak')).status).toBe(200)
  })
})

describe('the own account', () => {
  it.each([
    [
      'json-patch',
      (as: Client, path: string) => jsonPatch(as, path, { op: 'add', path: '/spec/groups', value: ['x'] }),
    ],
    ['merge-patch', (as: Client, path: string) => as.patch(`${USERS}/${path}`, { spec: { groups: ['x'] } })],
    [
      'apply',
      (as: Client, path: string) =>
        as.request(
          'PATCH',
          `${USERS}/${path}?fieldManager=me&force=true`,
          {
            apiVersion: 'iam.kubesphere.io/v1alpha2',
            kind: 'User',
            metadata: { name: path },
            spec: { email: `${path}@example.com`, groups: ['x'] },
          },
          { 'content-type': 'application/apply-patch+yaml' },
        ),
    ],
    [
      'put',
      async (as: Client, path: string) => {
        const { json } = await as.get(`${USERS}/${path}`)
        return as.put(`${USERS}/${path}`, { ...json, spec: { ...json.spec, groups: ['x'] } })
      },
    ],
  ] as const)('gets no groups by %s', async (kind, write) => {
    const name = `joiner-${kind}`
    const own = await person(name)

    // A put of what a controller has changed meanwhile is tried again, as everybody does.
    await eventually(async () => expect([200, 403]).toContain((await write(own, name)).status))

    expect((await root.get(`${USERS}/${name}`)).json.spec.groups ?? []).toEqual([])
    expect((await product.login(name)).status).toBe(200)
  })

  it('keeps its password against who does not know it', async () => {
    const own = await person('stolen')

    expect((await own.patch(`${USERS}/stolen`, { spec: { password: NEW } })).status).toBe(403)
    expect((await product.login('stolen')).status).toBe(200)
  })

  it('keeps its password when it is written back as it was read', async () => {
    const own = await person('writer')
    // The account has just been made, and controllers are still at it.
    await eventually(async () => {
      const { json } = await own.get(`${USERS}/writer`)
      good(await own.put(`${USERS}/writer`, { ...json, spec: { ...json.spec, lang: 'zh' } }))
    })

    expect((await own.get(`${USERS}/writer`)).json.spec.lang).toBe('zh')
    expect((await product.login('writer')).status).toBe(200)
  })

  it('is not unlocked, and takes no other identity', async () => {
    const own = await person('forger')
    good(await root.patch(`${USERS}/forger`, { status: { state: 'AuthLimitExceeded' } }))

    const labels = { 'iam.kubesphere.io/identify-provider': 'corp', 'iam.kubesphere.io/origin-uid': '1' }
    await own.patch(`${USERS}/forger`, { metadata: { labels }, status: { state: 'Active' } })

    const { json } = await root.get(`${USERS}/forger`)
    expect(json.status.state).toBe('AuthLimitExceeded')
    expect(json.metadata.labels?.['iam.kubesphere.io/origin-uid']).toBeUndefined()
  })
})

describe('accounts of others', () => {
  it('are switched off and on with a json-patch, as the console does', async () => {
    const own = await person('switched')
    const state = (value: string) => ({ op: 'replace', path: '/status/state', value })

    good(await jsonPatch(root, 'switched', state('Disabled')))
    await eventually(async () => expect((await own.get(`${IAM}/users/switched`)).status).toBe(401))

    good(await jsonPatch(um, 'switched', state('Active')))
    await eventually(async () => expect((await own.get(`${IAM}/users/switched`)).status).toBe(200))
  })

  it('that may more are not to be touched', async () => {
    const path = `${USERS}/admin`

    expect((await um.patch(path, { spec: { password: NEW } })).status).toBe(403)
    expect((await um.patch(path, { status: { state: 'Disabled' } })).status).toBe(403)
    expect((await um.delete(path)).status).toBe(403)
    expect((await um.delete(USERS)).status).toBe(403)
    expect((await product.login('admin')).status).toBe(200)
  })

  it('that the platform needs are not deleted or switched off by anybody', async () => {
    expect((await root.delete(`${USERS}/admin`)).status).toBe(409)
    expect((await root.patch(`${USERS}/admin`, { status: { state: 'Disabled' } })).status).toBe(409)
  })

  it('are created with a password that is hashed at once, whoever keeps a copy', async () => {
    const text = JSON.stringify(userObject('kept', '', { password: NEW }))
    const user = userObject('kept', '', { password: NEW }) as { metadata: object }
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': text }

    const answer = await root.post(USERS, { ...user, metadata: { name: 'kept', annotations } })

    expect(answer.status).toBe(201)
    expect(answer.text).not.toContain(NEW)
    expect((await root.get(`${USERS}/kept`)).text).not.toContain(NEW)
    await product.as('kept', NEW)
  })
})

describe('reads', () => {
  it('show no password that an installer has left in an annotation', async () => {
    const applied = { kind: 'User', metadata: { name: 'installed' }, spec: { email: '', password: NEW } }
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(applied) }
    const body = Buffer.from(
      JSON.stringify({ ...applied, apiVersion, metadata: { name: 'installed', annotations } }),
    )
    const made = await send(product.upstream, {
      method: 'POST',
      path: USERS,
      headers: { 'content-type': 'application/json' },
      body,
    })
    expect(made.status).toBe(201)

    for (const path of [
      `${IAM}/users/installed`,
      `${IAM}/users?name=installed`,
      `${USERS}/installed`,
      '/kapis/resources.kubesphere.io/v1alpha3/users?name=installed',
    ])
      expect((await root.get(path)).text).not.toContain(NEW)
  })

  it.each([
    ['a list', USERS, {}],
    ['one', `${USERS}/um`, {}],
    ['a table', USERS, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }],
    [
      'a table of objects',
      `${USERS}?includeObject=Object`,
      { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    ],
    ['YAML', USERS, { accept: 'application/yaml' }],
    ['the old list', `${IAM}/users`, {}],
    ['the list of resources', '/kapis/resources.kubesphere.io/v1alpha3/users', {}],
  ])('show no password in %s', async (_, path, headers) => {
    const answer = await root.request('GET', path, undefined, headers)

    expect(answer.status).toBe(200)
    expect(answer.text).toContain('um')
    expect(answer.text).not.toMatch(HASH)
    expect(answer.text).not.toContain(PASSWORD)
  })

  it('show none in a watch', async () => {
    const { access_token: token } = (await product.login('admin')).json
    const stop = new AbortController()
    const response = await fetch(`${product.url}${USERS}?watch=true`, {
      headers: { authorization: `Bearer ${token}` },
      signal: stop.signal,
    })
    let text = ''
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk as Uint8Array).toString()
      if (text.includes('"um"')) break
    }
    stop.abort()

    expect(text).toContain('"ADDED"')
    expect(text).not.toMatch(HASH)
  })
})
