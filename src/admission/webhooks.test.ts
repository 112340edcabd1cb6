import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type ValidatingWebhook } from '../apimachinery/admission/index.js'
import { type Product, startProduct } from '../../test/fixtures/product.js'
import { silent } from '../../test/fixtures/logger.js'
import { admissionListener } from './serve.js'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function serve(handle: ValidatingWebhook['handle']): Promise<string> {
  const webhook: ValidatingWebhook = { name: 'w', path: '/w', rules: [], failurePolicy: 'Fail', handle }
  const server = createServer(admissionListener([webhook], silent))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const review = (apiVersion: string): string =>
  JSON.stringify({ apiVersion, kind: 'AdmissionReview', request: { uid: 'u1', operation: 'CREATE' } })

describe('a webhook called by a cluster', () => {
  it.each(['admission.k8s.io/v1', 'admission.k8s.io/v1beta1'])('answers %s in kind', async (apiVersion) => {
    const base = await serve(() => ({ allowed: false, status: { code: 409, message: 'no' } }))

    const answer = await fetch(`${base}/w?timeout=30s`, { method: 'POST', body: review(apiVersion) })

    expect(await answer.json()).toEqual({
      apiVersion,
      kind: 'AdmissionReview',
      response: { uid: 'u1', allowed: false, status: { code: 409, message: 'no' } },
    })
  })

  it.each([
    ['{', 400],
    ['{"kind":"Pod"}', 400],
    [review('admission.k8s.io/v2'), 400],
  ])('refuses %s', async (body, status) => {
    const base = await serve(() => ({ allowed: true }))

    expect((await fetch(`${base}/w`, { method: 'POST', body })).status).toBe(status)
  })

  it('fails with 500 and no detail when its handler does', async () => {
    const base = await serve(() => Promise.reject(new Error('the secret is 42')))

    const answer = await fetch(`${base}/w`, { method: 'POST', body: review('admission.k8s.io/v1') })

    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('42')
  })
})

describe('users written straight to the embedded API', () => {
  it('need a good address that nobody else has', async () => {
    const product: Product = await startProduct()
    closers.push(() => product.close())
    const admin = await product.as('admin')
    const write = (name: string, email: string): ReturnType<typeof admin.post> =>
      admin.post('/apis/iam.kubesphere.io/v1alpha2/users', {
        apiVersion: 'iam.kubesphere.io/v1alpha2',
        kind: 'User',
        metadata: { name },
        spec: { email },
      })

    expect((await write('ann', 'ann@example.com')).status).toBe(201)
    const bad = await write('bob', 'notanemail')
    expect([bad.status, bad.json.message]).toEqual([
      400,
      'admission webhook "users.iam.kubesphere.io" denied the request: invalid email address:notanemail',
    ])
    await expect.poll(async () => (await write('bob', 'Ann <ANN@example.com>')).status).toBe(409)
    expect((await write('cat', '')).status).toBe(201)
  })
})
