import { generateKeyPairSync } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  clientCertificate,
  type KeyPair,
  newKey,
  selfSignedAuthority,
  signingRequest,
} from '../../certificates/index.js'
import { keyLeftIn, type SigningRequest } from '../kubeconfig/requests.js'
import { CsrReconciler } from './csr.reconciler.js'

const NOW = Date.parse('2026-01-01T12:00:00Z')
const VALID = { notBefore: new Date(NOW), notAfter: new Date(NOW + 86_400_000) }
const NAME = 'kim-csr-1767268800'
const USAGES = ['key encipherment', 'digital signature', 'client auth']

let key: string
let authority: KeyPair
let pair: KeyPair
beforeAll(async () => {
  key = newKey()
  authority = selfSignedAuthority('ca', VALID)
  pair = clientCertificate(authority, { commonName: 'kim', organizations: [] }, VALID)
})

const base64 = (text: string): string => Buffer.from(text).toString('base64')

async function request(
  spec: SigningRequest['spec'] & { for?: string } = {},
  more: Partial<SigningRequest> = {},
): Promise<SigningRequest> {
  const { for: name = 'kim', ...rest } = spec
  return {
    metadata: { name: NAME, creationTimestamp: '2026-01-01T11:30:00Z' },
    spec: {
      request: base64(signingRequest(key, { commonName: name, organizations: [] })),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: USAGES,
      ...rest,
    },
    ...more,
  }
}

/** One pass over a request, while a certificate for `pending` is waited for. */
async function pass(object: SigningRequest, pending = { request: NAME, key }, now = NOW) {
  const done: string[] = []
  const reconciler = new CsrReconciler({
    get: () => object,
    user: (name) => (name === 'kim' ? { metadata: { name } } : undefined),
    pending: async () => pending,
    approve: async (_, condition) => void done.push((condition as { type: string }).type),
    install: async (user, credentials) =>
      void done.push(`installed for ${user.metadata.name}: ${credentials.key === pair.key}`),
    delete: async () => void done.push('deleted'),
    tell: () => done.push('told'),
    now: () => now,
  })
  const name = object.metadata.name ?? ''
  const result = await reconciler.reconcile({ namespace: '', name }, new AbortController().signal)
  return { done, requeueAfter: result?.requeueAfter }
}

describe('a signing request of ours', () => {
  it('is approved, and looked at again when its hour is over', async () => {
    expect(await pass(await request())).toEqual({ done: ['Approved', 'told'], requeueAfter: 1_800_000 })
  })

  it.each([
    ['for another name', { for: 'admin' }],
    ['of another signer', { signerName: 'kubernetes.io/kube-apiserver-client-kubelet' }],
    ['for more usages', { usages: [...USAGES, 'server auth'] }],
    ['that is no request', { request: base64('nonsense') }],
  ])('is not approved %s', async (_, spec) => {
    expect((await pass(await request(spec))).done).toEqual([])
  })

  it('is not approved for another key, nor under another name than was asked under', async () => {
    expect((await pass(await request(), { request: NAME, key: newKey() })).done).toEqual([])
    expect((await pass(await request(), { request: 'kim-csr-2', key })).done).toEqual([])
  })

  it('goes when nobody has signed it within an hour', async () => {
    expect((await pass(await request(), undefined, NOW + 1_800_000)).done).toEqual(['deleted'])
  })

  it('hands over its certificate and goes', async () => {
    const signed = await request({}, { status: { certificate: base64(pair.cert) } })

    expect((await pass(signed, { request: NAME, key: pair.key })).done).toEqual([
      'installed for kim: true',
      'deleted',
    ])
  })

  it('hands over nothing that is not of its key, or not of its user', async () => {
    const other = clientCertificate(
      authority,
      { commonName: 'kim', organizations: ['system:masters'] },
      VALID,
    )
    const wrongKey = await request({}, { status: { certificate: base64(pair.cert) } })
    const wrongName = await request({}, { status: { certificate: base64(other.cert) } })

    expect((await pass(wrongKey)).done).toEqual([])
    expect((await pass(wrongName, { request: NAME, key: other.key })).done).toEqual([])
  })
})

describe('a signing request that the original made', () => {
  const left = (text: string) => ({ name: 'kim-csr-1', annotations: { 'kubesphere.io/private-key': text } })

  it('is finished when it has been signed, and not approved when it has not', async () => {
    const signed = await request({}, { metadata: left(pair.key), status: { certificate: base64(pair.cert) } })
    const unsigned = await request({}, { metadata: left(key) })

    expect((await pass(signed)).done).toEqual(['installed for kim: true', 'deleted'])
    expect((await pass(unsigned)).done).toEqual([])
  })

  it('may name its key by the wrong name', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()

    expect(keyLeftIn({ metadata: left(pem.replaceAll('RSA PRIVATE', 'PRIVATE')) })).toBe(pem)
    expect(keyLeftIn({ metadata: left(pem) })).toBe(pem)
    expect(keyLeftIn({ metadata: left(pair.key) })).toBe(pair.key)
  })
})
