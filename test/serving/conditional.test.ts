/** Lists that a client has already: what it is told, and that it is told no more than it may see. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Product, startProduct } from '../fixtures/product.js'

const MAPS = '/api/v1/namespaces/default/configmaps'
const LIST = '/kapis/resources.kubesphere.io/v1alpha3/namespaces/default/configmaps?limit=10'
/** With the role of each put into it. */
const USERS = '/kapis/iam.kubesphere.io/v1alpha2/users'

let product: Product
let authorization: string

beforeAll(async () => {
  product = await startProduct()
  await product.as('admin')
  const { json } = await product.login('admin')
  authorization = `Bearer ${(json as { access_token: string }).access_token}`
}, 60_000)

afterAll(() => product?.close())

function ask(path: string, known?: string, token = authorization): Promise<Response> {
  const headers = { authorization: token, ...(known !== undefined && { 'if-none-match': known }) }
  return fetch(product.url + path, { headers })
}

async function write(method: string, path: string, body: unknown): Promise<void> {
  const headers = { authorization, 'content-type': 'application/json' }
  const { status } = await fetch(product.url + path, { method, headers, body: JSON.stringify(body) })
  expect(status).toBeLessThan(300)
}

async function tagOf(path: string): Promise<string> {
  const answer = await ask(path)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('cache-control')).toBe('no-cache, private')
  return answer.headers.get('etag') ?? ''
}

it('a list is not sent again to who has it, until an object of it changes', async () => {
  await write('POST', MAPS, { metadata: { name: 'a' }, data: { x: '1' } })
  await expect.poll(async () => (await ask(LIST)).text()).toContain('"x":"1"')
  const tag = await tagOf(LIST)
  expect(tag).toMatch(/^W\/"[\w-]{20,}"$/)

  for (const known of [tag, `"other", ${tag}`, tag.slice(2), '*']) {
    const again = await ask(LIST, known)
    expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, tag, ''])
  }
  expect((await ask(LIST, '"other"')).status).toBe(200)

  await write('PUT', `${MAPS}/a`, { metadata: { name: 'a' }, data: { x: '2' } })
  await expect.poll(async () => (await ask(LIST, tag)).status).toBe(200)
  expect(await (await ask(LIST, tag)).text()).toContain('"x":"2"')
})

it('other pages, and what is put together from several objects, have tags of their own', async () => {
  await write('POST', MAPS, { metadata: { name: 'b' } })
  await expect.poll(async () => (await ask(LIST)).text()).toContain('"b"')
  const tags = await Promise.all(
    [LIST, `${LIST}&page=2`, `${LIST}&sortBy=name&ascending=true`, `${LIST}&name=b`].map(tagOf),
  )
  expect(new Set(tags).size).toBe(tags.length)

  // The login above is still being written into its user.
  await expect.poll(async () => (await ask(USERS, await tagOf(USERS))).status).toBe(304)
})

it('who may not see a list is refused, whatever it has', async () => {
  const tag = await tagOf(LIST)

  expect((await ask(LIST, tag, '')).status).toBe(403)
  expect((await ask(LIST, '*', 'Bearer rubbish')).status).toBe(401)
})
