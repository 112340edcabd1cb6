/** Kubeconfigs from end to end: the embedded API with its signer, and what its server makes of the certificates. */
import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Controlled, startControlled } from '../../test/fixtures/controlled.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { clientCertificate, newKey, signingRequest } from '../certificates/index.js'
import { parseKubeconfig } from '../client/kubeconfig.js'
import { eventually } from '../client/testing/eventually.js'
import {
  certificateIn,
  type KubeconfigMap,
  type KubeconfigSecret,
  kubeconfigText,
  wholeKubeconfig,
} from '../tenancy/kubeconfigs.js'
import { USERS } from '../tenancy/resources.js'
import { SECRETS } from './kubeconfig/credentials.js'
import { type SigningRequest, SIGNING_REQUESTS } from './kubeconfig/requests.js'

const CONFIG_MAPS = { group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap' }
const CONTROLS = 'kubesphere-controls-system'
const ADDRESS = {
  server: 'https://10.96.0.1:443',
  ca: '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n', // Nobody connects.
}
const DAY_MS = 86_400_000

let world: Controlled

beforeAll(async () => {
  world = await startControlled({ controllers: ['user', 'csr'], kubernetes: ADDRESS })
})
afterAll(() => world.close())

const user = (name: string) =>
  world.create(USERS, { metadata: { name }, spec: { email: `${name}@example.com` } })
const textOf = async (name: string) =>
  (await world.read<KubeconfigMap>(CONFIG_MAPS, `kubeconfig-${name}`, CONTROLS))?.data?.['config'] ?? ''
const secretOf = (name: string) =>
  world.read<KubeconfigSecret>(SECRETS, `kubeconfig-${name}`, CONTROLS) as Promise<KubeconfigSecret>
const certified = (name: string) =>
  eventually(async () => expect(certificateIn(await textOf(name))?.subject).toBe(`CN=${name}`))
/** @param from days from now */
const issued = (commonName: string, from: number, to: number) => {
  const at = (days: number): Date => new Date(Date.now() + days * DAY_MS)
  const subject = { commonName, organizations: [] }
  return clientCertificate(world.kube.pki.authority, subject, { notBefore: at(from), notAfter: at(to) })
}
const requestsOf = async (name: string) =>
  (await world.list<SigningRequest>(SIGNING_REQUESTS)).filter(({ metadata }) =>
    metadata.name?.startsWith(`${name}-csr-`),
  )

describe('the kubeconfig of a user', () => {
  it('has a certificate of the name alone, and its key where only the owner is shown it', async () => {
    await user('kim')
    await certified('kim')

    const text = await textOf('kim')
    const secret = await secretOf('kim')
    expect(text).not.toContain('client-key-data')
    expect(parseKubeconfig(wholeKubeconfig(text, 'kim', secret, ''))).toMatchObject({
      server: ADDRESS.server,
      namespace: 'default',
      tls: { ca: Buffer.from(ADDRESS.ca) },
    })
    expect(wholeKubeconfig(text, 'kim', secret, 'https://outside:6443')).toContain('https://outside:6443')
    await eventually(async () => expect(await requestsOf('kim')).toEqual([]))
    expect(Object.keys((await secretOf('kim')).data ?? {}).sort()).toEqual(['config', 'tls.crt', 'tls.key'])
    expect(certificateIn(text)?.toString()).toBe(
      new X509Certificate(Buffer.from(secret.data?.['tls.crt'] ?? '', 'base64')).toString(),
    )
  })

  it('goes with the user, and is not inherited by the next of that name', async () => {
    await user('pat')
    await certified('pat')
    const first = await textOf('pat')

    await world.delete(USERS, 'pat')
    await eventually(async () => expect(await world.read(USERS, 'pat')).toBeUndefined())
    expect(await textOf('pat')).toBe('')
    expect(await secretOf('pat')).toBeUndefined()

    await user('pat')
    await certified('pat')
    expect(certificateIn(await textOf('pat'))?.fingerprint).not.toBe(certificateIn(first)?.fingerprint)
  })

  it('is made for names that no label can hold', async () => {
    const long = `l${'o'.repeat(70)}ng`
    await user(long)

    await certified(long)
  })

  it('is renewed while its certificate still works', async () => {
    await user('rex')
    await certified('rex')
    const { cert } = issued('rex', -300, 2)
    const soon = kubeconfigText({ user: 'rex', ...ADDRESS, certificate: cert })
    await world.patch(CONFIG_MAPS, 'kubeconfig-rex', { data: { config: soon } }, CONTROLS)

    await world.patch(USERS, 'rex', { metadata: { labels: { touched: 'yes' } } })

    await eventually(async () => {
      const expires = Date.parse(certificateIn(await textOf('rex'))?.validTo ?? '')
      expect(expires).toBeGreaterThan(Date.now() + 300 * DAY_MS)
    })
  })

  it('is left alone when the signer gives no more than a day', async () => {
    await user('day')
    await certified('day')
    const { cert } = issued('day', 0, 1)
    const short = kubeconfigText({ user: 'day', ...ADDRESS, certificate: cert })
    await world.patch(CONFIG_MAPS, 'kubeconfig-day', { data: { config: short } }, CONTROLS)

    await world.patch(USERS, 'day', { metadata: { labels: { touched: 'yes' } } })

    await eventually(() =>
      expect(world.resources.users.get('day')?.metadata.labels).toEqual({ touched: 'yes' }),
    )
    await eventually(() => expect(world.idle).toBe(true))
    expect(await textOf('day')).toBe(short)
    expect(await requestsOf('day')).toEqual([])
  })

  it('comes back when somebody deletes it', async () => {
    await user('sue')
    await certified('sue')

    await world.delete(CONFIG_MAPS, 'kubeconfig-sue', CONTROLS)

    await certified('sue')
  })
})

describe('a signing request', () => {
  const forged = async (
    name: string,
    commonName: string,
    more: Partial<SigningRequest['spec']> = {},
    annotations: Record<string, string> = {},
  ): Promise<KubeObject> => {
    const key = newKey()
    return world.create(SIGNING_REQUESTS, {
      metadata: {
        name,
        labels: { 'kubesphere.io/username': commonName },
        annotations: { 'kubesphere.io/private-key': key, ...annotations },
      },
      spec: {
        request: Buffer.from(signingRequest(key, { commonName, organizations: [] })).toString('base64'),
        signerName: 'kubernetes.io/kube-apiserver-client',
        usages: ['client auth', 'digital signature', 'key encipherment'],
        ...more,
      },
    })
  }

  it('that somebody else made for a user is not approved', async () => {
    await user('admin')
    await certified('admin')
    const before = await textOf('admin')
    await forged('admin-csr-1', 'admin')
    await forged('by-hand', 'admin')

    await user('after') // Whose certificate shows that the requests before have been looked at.
    await certified('after')

    for (const name of ['admin-csr-1', 'by-hand'])
      expect((await world.read<SigningRequest>(SIGNING_REQUESTS, name))?.status?.conditions).toBeUndefined()
    expect(await textOf('admin')).toBe(before)
  })

  it('that carries the key of a user is not approved for more than was asked for', async () => {
    await user('mel')
    await certified('mel')
    const key = newKey()
    await world.patch(
      SECRETS,
      'kubeconfig-mel',
      {
        data: {
          'next.key': Buffer.from(key).toString('base64'),
          'next.request': Buffer.from('mel-csr-7').toString('base64'),
        },
      },
      CONTROLS,
    )
    const request = Buffer.from(
      signingRequest(key, { commonName: 'someone-else', organizations: [] }),
    ).toString('base64')
    await forged('mel-csr-7', 'mel', { request })

    await user('later')
    await certified('later')

    expect(
      (await world.read<SigningRequest>(SIGNING_REQUESTS, 'mel-csr-7'))?.status?.conditions,
    ).toBeUndefined()
  })
})
