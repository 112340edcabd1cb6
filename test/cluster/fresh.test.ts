/** A genuine Kubernetes API on which nothing of the platform has ever been. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { clientsOf } from '../fixtures/product.js'
import { freePort, realClusterAvailable, startRealCluster, type RealCluster } from './realcluster.js'

const PROGRAM = fileURLToPath(new URL('../../bin/orrery.js', import.meta.url))
const CONFIGURATION = `
authentication:
  jwtSecret: a-secret-for-this-test
  oauthOptions:
    clients: [{ name: kubesphere, secret: kubesphere, redirectURIs: ['*'] }]
`
const suite = describe.skipIf(!realClusterAvailable)

suite(
  `a fresh cluster${realClusterAvailable ? '' : ' SKIPPED: run scripts/build-kubernetes.sh first'}`,
  () => {
    let cluster: RealCluster
    let directory: string
    const children: ChildProcess[] = []

    beforeEach(async () => {
      cluster = await startRealCluster({})
      directory = mkdtempSync(join(tmpdir(), 'orrery-fresh-'))
      writeFileSync(join(directory, 'kubesphere.yaml'), CONFIGURATION)
    })

    afterEach(async () => {
      for (const child of children.splice(0)) child.kill('SIGKILL')
      await cluster.stop()
      rmSync(directory, { recursive: true, force: true })
    })

    /** @returns what the pattern captures of its output */
    function start(pattern: RegExp, ...args: string[]): Promise<string> {
      const child = spawn(
        process.execPath,
        [
          PROGRAM,
          ...args,
          '--kubeconfig',
          cluster.kubeconfig,
          '--config',
          join(directory, 'kubesphere.yaml'),
          '--log-level',
          'warn',
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
      children.push(child)
      return new Promise((resolve, reject) => {
        let text = ''
        child.on('exit', (code) =>
          reject(new Error(`orrery ${args[0] ?? ''} ended with ${code ?? 'a signal'}`)),
        )
        child.stdout?.on('data', (chunk: Buffer) => {
          text += chunk.toString()
          const [, found] = pattern.exec(text) ?? []
          if (found !== undefined) resolve(found)
        })
      })
    }

    it('is filled by `orrery apiserver --install`, whose first administrator can log in', async () => {
      const url = await start(
        /listens on (http:\/\/[\d.:]+)/,
        ...['apiserver', '--install', '--port', '0', '--bind-address', '127.0.0.1'],
      )

      const admin = await clientsOf(url).as('admin')

      const { json } = await admin.get(
        '/kapis/resources.kubesphere.io/v1alpha3/namespaces?name=kubesphere-system',
      )
      expect(json.totalItems).toBe(1)
    }, 60_000)

    it('takes a controller manager that comes first, and gets its webhooks when first data is there', async () => {
      const webhookPort = await freePort()
      const webhookUrl = `https://127.0.0.1:${webhookPort}`
      await start(
        /(The controllers work on .*\.)/,
        ...['controller-manager', '--webhook-port', String(webhookPort), '--webhook-url', webhookUrl],
      )

      const url = await start(
        /listens on (http:\/\/[\d.:]+)/,
        ...['apiserver', '--install', '--port', '0', '--bind-address', '127.0.0.1'],
      )

      const admin = await clientsOf(url).as('admin')
      const webhooks = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
      await expect
        .poll(async () => (await admin.get(`${webhooks}/users.iam.kubesphere.io`)).status, {
          timeout: 60_000,
        })
        .toBe(200)
      // And the controllers work.
      await expect
        .poll(
          async () =>
            (await admin.get('/apis/iam.kubesphere.io/v1alpha2/users/admin')).json.metadata.finalizers,
          {
            timeout: 60_000,
          },
        )
        .toContain('finalizers.kubesphere.io/users')
    }, 150_000)
  },
)
