/** The first login through an identity provider, on the whole product, with a real OpenID provider. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { eventually, good, userObject } from '../fixtures/cast.js'
import { type OidcServer, REDIRECT_URL, startOidcProvider } from '../fixtures/oidcprovider.js'
import { type Answer, type Client, type Product, startProduct } from '../fixtures/product.js'

const USERS = '/kapis/iam.kubesphere.io/v1alpha2/users'
const IDP = 'iam.kubesphere.io/identify-provider'
const UID = 'iam.kubesphere.io/origin-uid'

let provider: OidcServer
let product: Product
let root: Client
const directory = mkdtempSync(join(tmpdir(), 'orrery-registration-'))

beforeAll(async () => {
  provider = await startOidcProvider({
    ann: { email: 'ann@example.com', preferred_username: 'Ann' },
    bob: { preferred_username: 'bob' },
    taken: { preferred_username: 'admin' },
    twice: { preferred_username: 'not a name' },
    lister: { preferred_username: 'lister' },
    chooser: { preferred_username: 'no name' },
    fresh: { preferred_username: 'fresh' },
    ghost: { preferred_username: 'ghost' },
    quick: { preferred_username: 'quick' },
  })
  const config = join(directory, 'kubesphere.yaml')
  const options = {
    issuer: provider.issuer,
    clientID: provider.client.client_id,
    clientSecret: provider.client.client_secret,
    redirectURL: REDIRECT_URL,
  }
  const corp = { name: 'corp', mappingMethod: 'auto', type: 'OIDCIdentityProvider', provider: options }
  const atOnce = { ...corp, name: 'at-once', disableLoginConfirmation: true }
  const oauthOptions = { identityProviders: [corp, atOnce] }
  writeFileSync(
    config,
    stringify({ authentication: { oauthOptions }, authorization: { userLists: 'names' } }),
  )
  product = await startProduct({ config })
  root = await product.as('admin')
})

afterAll(async () => {
  await product.close()
  await provider.close()
  rmSync(directory, { recursive: true, force: true })
})

/** What the provider's page leads back to. */
async function callback(account: string): Promise<{ access_token: string; refresh_token: string }> {
  const response = await back(account)
  return (await response.json()) as { access_token: string; refresh_token: string }
}

async function back(account: string, name = 'corp'): Promise<Response> {
  const query = await provider.authorize(account)
  return fetch(`${product.url}/oauth/callback/${name}?${query.toString()}`)
}

async function registering(account: string): Promise<Client> {
  return product.withToken((await callback(account)).access_token)
}

const object = (name: string, more: object = {}): object => ({
  apiVersion: 'iam.kubesphere.io/v1alpha2',
  kind: 'User',
  metadata: { name },
  spec: { email: '', ...more },
})

async function refreshed(token: string): Promise<Answer> {
  const form = { grant_type: 'refresh_token', refresh_token: token }
  const body = new URLSearchParams({ ...form, client_id: 'kubesphere', client_secret: 'kubesphere' })
  const response = await fetch(`${product.url}/oauth/token`, { method: 'POST', body })
  const text = await response.text()
  return { status: response.status, text, json: JSON.parse(text) }
}

describe('somebody who registers', () => {
  it('brings no groups, role, labels or password, and is then logged in', async () => {
    const { access_token: token, refresh_token: refresh } = await callback('ann')

    const answer = await product.withToken(token).post(USERS, {
      ...object('ann', {
        email: 'ann@example.com',
        groups: ['blue-admins'],
        password: 'Another1pass',
        displayName: 'Ann',
      }),
      metadata: {
        name: 'ann',
        labels: { [IDP]: 'other', [UID]: 'root', 'kubefed.io/managed': 'true' },
        annotations: { 'iam.kubesphere.io/globalrole': 'platform-admin' },
      },
    })

    expect(answer.status).toBe(200)
    const { json } = await root.get(`${USERS}/ann`)
    expect(json.metadata.labels).toEqual({ [IDP]: 'corp', [UID]: 'ann' })
    expect(json.metadata.annotations?.['iam.kubesphere.io/globalrole']).toBeUndefined()
    expect(json.spec).toEqual({ email: 'ann@example.com', displayName: 'Ann' })
    expect((await product.login('ann', 'Another1pass')).status).toBe(400)
    await eventually(async () => {
      const session = await refreshed(refresh)
      expect(session.status).toBe(200)
      const ann = product.withToken(session.json.access_token as string)
      expect((await ann.get(`${USERS}/ann`)).status).toBe(200)
    })
  })

  it('does so once', async () => {
    const bob = await registering('bob')
    good(await bob.post(USERS, object('bob')))

    expect((await bob.post(USERS, object('bob'))).status).toBe(409)
    expect((await bob.post(USERS, object('bobby'))).status).toBe(409)
  })

  it('is called as the provider says, unless that cannot be', async () => {
    const lister = await registering('lister')
    expect((await lister.post(USERS, object('somebody-else'))).status).toBe(422)
    good(await lister.post(USERS, object('')))
    expect((await root.get(`${USERS}/lister`)).status).toBe(200)

    const taken = await registering('taken')
    expect((await taken.post(USERS, object('admin'))).status).toBe(409)
    good(await taken.post(USERS, object('another-admin')))
  })

  it('becomes one user however many requests are sent at once', async () => {
    const twice = await registering('twice')

    const answers = await Promise.all(['t1', 't2', 't3'].map((name) => twice.post(USERS, object(name))))

    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409])
  })

  it('takes no name that bindings still give roles to', async () => {
    const binding = '/apis/iam.kubesphere.io/v1alpha2/globalrolebindings'
    good(
      await root.post(binding, {
        apiVersion: 'iam.kubesphere.io/v1alpha2',
        kind: 'GlobalRoleBinding',
        metadata: { name: 'ghost' },
        subjects: [{ apiGroup: 'iam.kubesphere.io', kind: 'User', name: 'ghost' }],
        roleRef: { apiGroup: 'iam.kubesphere.io', kind: 'GlobalRole', name: 'platform-admin' },
      }),
    )
    const chooser = await registering('chooser')

    await eventually(async () => expect((await chooser.post(USERS, object('ghost'))).status).toBe(403))
    // Nor where users are made at once.
    expect((await back('quick', 'at-once')).status).toBe(200)
    expect((await back('ghost', 'at-once')).status).toBe(401)
    expect((await root.get(`${USERS}/ghost`)).status).toBe(404)
  })

  it('sees nobody, here or at the Kubernetes API', async () => {
    const nobody = await registering('fresh')

    for (const path of [USERS, '/apis/iam.kubesphere.io/v1alpha2/users', `${USERS}/admin`])
      expect((await nobody.get(path)).status).toBe(403)
    const native = await nobody.post('/apis/iam.kubesphere.io/v1alpha2/users', object('sneaky'))
    expect(native.status).toBe(403)
  })
})

describe('lists of names', () => {
  it('tell who there is and no more, but of oneself', async () => {
    good(await root.post(USERS, userObject('reader', 'platform-regular', { displayName: 'Reader' })))
    good(await root.post(USERS, userObject('shown', 'platform-regular', { displayName: 'Shown' })))
    const reader = await product.as('reader')

    // Whoever sees all of it asks first: what was made for them is for nobody else.
    for (let times = 0; times < 2; times++)
      expect((await root.get(`${USERS}?sortBy=name`)).text).toContain('shown@example.com')
    const { json, text } = await reader.get(`${USERS}?sortBy=name`)
    const of = (name: string) =>
      json.items.find(({ metadata }: { metadata: { name: string } }) => metadata.name === name)

    expect(of('reader').spec.email).toBe('reader@example.com')
    expect(of('shown')).toMatchObject({ spec: { email: '', displayName: 'Shown' }, status: {} })
    expect(of('shown').metadata.annotations).toEqual({ 'iam.kubesphere.io/globalrole': 'platform-regular' })
    expect(text).not.toContain('shown@example.com')
    expect((await reader.get(`${USERS}?email=shown@example.com`)).json.totalItems).toBe(0)
    expect((await root.get(`${USERS}?email=shown@example.com`)).json.totalItems).toBe(1)
  })

  it('are no longer at the Kubernetes API, in whatever form', async () => {
    good(await root.post(USERS, userObject('hidden', 'platform-regular')))
    good(await root.post(USERS, userObject('looker', 'platform-regular')))
    const looker = await product.as('looker')
    const path = '/apis/iam.kubesphere.io/v1alpha2/users'
    const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }

    for (const headers of [{}, table]) {
      for (const query of ['', '?includeObject=None', '?includeObject=Object']) {
        const { status, text } = await looker.request('GET', path + query, undefined, headers)
        expect(status).toBe(200)
        expect(text).toContain('hidden')
        expect(text).not.toContain('hidden@example.com')
      }
    }
    expect((await root.request('GET', path, undefined, table)).text).toContain('hidden@example.com')
    expect((await looker.get(`${path}/looker`)).text).toContain('looker@example.com')
  })
})
