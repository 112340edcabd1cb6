import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { kubeconfigFor, openPki } from './index.js'

describe('the keys and certificates of the embedded API', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pki-'))
  })
  afterEach(async () => rm(folder, { recursive: true }))

  it('are made once and found again', async () => {
    const first = await openPki({ folder })
    const second = await openPki({ folder })

    expect(second.authority).toEqual(first.authority)
    expect(second.serving).toEqual(first.serving)
    expect(second.admin).toEqual(first.admin)
    expect(second.serviceAccountKey).toBe(first.serviceAccountKey)
  })

  it('keep their private halves from others', async () => {
    await openPki({ folder })

    for (const name of ['ca.key', 'apiserver.key', 'admin.key', 'sa.key']) {
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
    }
  })

  it('name the admin and the hosts of the server', async () => {
    const pki = await openPki({ folder, hosts: ['kube.example.com', '192.0.2.7'] })

    const admin = new X509Certificate(pki.admin.cert)
    expect(admin.subject.split('\n').sort()).toEqual(['CN=kubernetes-admin', 'O=system:masters'])
    const serving = new X509Certificate(pki.serving.cert)
    expect(serving.checkHost('kube.example.com')).toBe('kube.example.com')
    expect(serving.checkIP('192.0.2.7')).toBe('192.0.2.7')
    expect(serving.checkIssued(new X509Certificate(pki.authority.cert))).toBe(true)
  })

  it('are renewed near their end, and when a host is added', async () => {
    const first = await openPki({ folder })
    const later = await openPki({ folder, now: Date.now() + 340 * 24 * 3600 * 1000 })
    const wider = await openPki({ folder, hosts: ['new.example.com'] })

    expect(later.authority).toEqual(first.authority)
    expect(later.serving.cert).not.toBe(first.serving.cert)
    expect(wider.admin).toEqual(later.admin)
    expect(wider.serving.cert).not.toBe(later.serving.cert)
    expect(await readFile(join(folder, 'apiserver.crt'), 'utf8')).toBe(wider.serving.cert)
  })

  it('fit into a kubeconfig', () => {
    const config = parse(
      kubeconfigFor({ server: 'https://127.0.0.1:1', ca: 'CA', user: 'u', cert: 'CERT', key: 'KEY' }),
    ) as { users: { user: Record<string, string> }[]; 'current-context': string }

    expect(config.users[0]?.user['client-key-data']).toBe('S0VZ')
    expect(config['current-context']).toBe('u@orrery')
  })
})
