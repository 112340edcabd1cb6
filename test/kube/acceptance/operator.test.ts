/**
 * Acceptance of operators, checks 59 and 31: one in Go on client-go (test/kube/operator), two instances of it, as a
 * ServiceAccount that may no more than it needs. scripts/build-kubernetes.sh builds it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { parse } from 'yaml'
import { check, type Json, type Killable, startKillable } from './subject.js'

const OPERATOR = fileURLToPath(new URL('../operator/', import.meta.url))
const BUILD = fileURLToPath(new URL('../../../scripts/build-kubernetes.sh', import.meta.url))
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/site-operator/leases/site-operator'
const DIRECTORY = '/api/v1/namespaces/site-operator/configmaps/site-directory'
const SITES = '/apis/operator.orrery.test/v1/namespaces/web/sites'
const DEPLOYMENTS = '/apis/apps/v1/namespaces/web/deployments'
/** A genuine garbage collector looks for new kinds twice a minute. */
const PATIENTLY = { timeout: 90_000, interval: 200 }

const program = builtOperator()
const suite = describe.skipIf(program === undefined)
const WITHOUT = program === undefined ? ' SKIPPED: run scripts/build-kubernetes.sh first' : ''

let kube: Killable
let home: string
const instances = new Map<string, ChildProcess>()

function builtOperator(): string | undefined {
  try {
    return execFileSync('bash', [BUILD, '--operator'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return undefined
  }
}

beforeAll(async () => {
  if (program === undefined) return
  kube = await startKillable()
  home = mkdtempSync(join(tmpdir(), 'orrery-operator-'))
  await kube.namespace('web')
  for (const file of ['crd.yaml', 'rbac.yaml']) {
    const { code, err } = await kube.kubectl('apply', '-f', join(OPERATOR, file))
    expect({ code, err }).toEqual({ code: 0, err: '' })
  }
  const wait = ['wait', '--for=condition=Established', 'crd/sites.operator.orrery.test', '--timeout=60s']
  expect(await kube.kubectl(...wait)).toMatchObject({ code: 0 })
  const token = await kube.kubectl('create', 'token', 'site-operator', '-n', 'site-operator')
  expect(token).toMatchObject({ code: 0 })
  const kubeconfig = parse(readFileSync(kube.kubeconfig, 'utf8')) as { users: { user: object }[] }
  for (const entry of kubeconfig.users) entry.user = { token: token.out.trim() }
  writeFileSync(join(home, 'kubeconfig'), JSON.stringify(kubeconfig))
})

afterAll(async () => {
  await Promise.all([...instances.keys()].map((id) => end(id, 'SIGKILL')))
  await kube?.close()
  if (home !== undefined) rmSync(home, { recursive: true, force: true })
})

function start(id: string): void {
  if (program === undefined || instances.has(id)) return
  const flags = ['--kubeconfig', join(home, 'kubeconfig'), '--namespace', 'site-operator', '--lease', '8s']
  instances.set(id, spawn(program, [...flags, '--id', id], { stdio: ['ignore', 'ignore', 'inherit'] }))
}

function end(id: string, signal: NodeJS.Signals): Promise<number | null> {
  const child = instances.get(id) ?? expect.unreachable(`no instance ${id}`)
  instances.delete(id)
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => {
    child.once('exit', resolve)
    child.kill(signal)
  })
}

const object = async (path: string): Promise<Json> => (await kube.get(path)).json
const leader = async (): Promise<string | undefined> => (await object(LEASE)).spec?.holderIdentity
const site = (name: string, spec: object): object => ({
  apiVersion: 'operator.orrery.test/v1',
  kind: 'Site',
  metadata: { name },
  spec,
})

/** What a kubelet would say: there is none on either server. */
async function runPods(): Promise<void> {
  const { items } = await object('/api/v1/namespaces/web/pods')
  const ready = { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } }
  for (const { metadata, status } of items as Json[])
    if (status.phase === 'Pending')
      await kube.patch(
        `/api/v1/namespaces/web/pods/${metadata.name}/status`,
        ready,
        'strategic-merge-patch+json',
      )
}

async function eventsOf(name: string): Promise<string[]> {
  const { items } = await object(`/api/v1/namespaces/web/events?fieldSelector=involvedObject.name=${name}`)
  return (items as Json[]).map(({ reason }) => reason as string)
}

suite(`an operator on client-go${WITHOUT}`, () => {
  check(
    59,
    'is led by one of its instances',
    async () => {
      start('first')
      await expect.poll(leader, PATIENTLY).toBe('first')
      start('second')

      for (const kind of ['mutating', 'validating'])
        await expect
          .poll(() =>
            kube.get(`/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations/site-operator`),
          )
          .toMatchObject({ status: 200 })
      expect(await leader()).toBe('first')
      expect((await object(LEASE)).spec).toMatchObject({ leaseDurationSeconds: 8, leaseTransitions: 0 })
    },
    { timeoutMs: 120_000 },
  )

  check(
    59,
    'fills in and refuses through its webhooks',
    async () => {
      // A genuine server takes a moment to learn of them.
      await expect
        .poll(
          async () => (await kube.post(`${SITES}?dryRun=All`, site('shop', { host: 'shop' }))).json.spec,
          PATIENTLY,
        )
        .toEqual({ host: 'shop', image: 'nginx:1.25', replicas: 2 })
      await expect
        .poll(() => kube.post(`${SITES}?dryRun=All`, site('big', { host: 'big', replicas: 11 })), PATIENTLY)
        .toMatchObject({
          status: 422,
          json: {
            reason: 'Invalid',
            message:
              'admission webhook "validate.sites.operator.orrery.test" denied the request: 11 replicas are more than 10',
          },
        })

      expect(await kube.post(SITES, site('shop', { host: 'shop' }))).toMatchObject({ status: 201 })
      expect(await kube.patch(`${SITES}/shop`, { spec: { host: 'elsewhere' } })).toMatchObject({
        status: 422,
        json: {
          message: expect.stringContaining('a site does not move from shop to elsewhere') as string,
        },
      })
    },
    { timeoutMs: 200_000 },
  )

  check(
    59,
    'owns Deployments, follows them and reports in the status',
    async () => {
      const { uid } = (await object(`${SITES}/shop`)).metadata
      await expect
        .poll(() => object(`${DEPLOYMENTS}/shop`), PATIENTLY)
        .toMatchObject({
          metadata: {
            ownerReferences: [
              {
                apiVersion: 'operator.orrery.test/v1',
                kind: 'Site',
                name: 'shop',
                uid,
                controller: true,
                blockOwnerDeletion: true,
              },
            ],
          },
          spec: { replicas: 2, template: { spec: { containers: [{ name: 'web', image: 'nginx:1.25' }] } } },
        })
      const status = async (): Promise<Json> => {
        await runPods()
        return (await object(`${SITES}/shop`)).status
      }
      const serving = { type: 'Ready', status: 'True', reason: 'Serving' }
      await expect
        .poll(status, PATIENTLY)
        .toMatchObject({ observedGeneration: 1, replicas: 2, readyReplicas: 2, conditions: [serving] })
      expect((await object(DIRECTORY)).data).toEqual({ 'web.shop': 'shop' })
      await expect.poll(() => eventsOf('shop')).toContain('Deployed')

      expect(await kube.patch(`${SITES}/shop`, { spec: { replicas: 3 } })).toMatchObject({ status: 200 })
      await expect
        .poll(status, PATIENTLY)
        .toMatchObject({ observedGeneration: 2, replicas: 3, readyReplicas: 3, conditions: [serving] })
      expect((await kube.kubectl('get', 'sites', '-n', 'web')).out).toMatch(
        /NAME +HOST +READY\nshop +shop +True\n/,
      )
      // Not through the object: the status has a door of its own.
      await kube.patch(`${SITES}/shop`, { status: { replicas: 99 } })
      expect((await object(`${SITES}/shop`)).status.replicas).toBe(3)

      const before = (await object(`${DEPLOYMENTS}/shop`)).metadata.uid as string
      await kube.delete(`${DEPLOYMENTS}/shop`)
      await expect
        .poll(async () => (await object(`${DEPLOYMENTS}/shop`)).metadata?.uid ?? before, PATIENTLY)
        .not.toBe(before)
    },
    { timeoutMs: 300_000 },
  )

  check(
    59,
    'is taken over when its leader is killed',
    async () => {
      await end('first', 'SIGKILL')
      await expect.poll(leader, PATIENTLY).toBe('second')
      expect((await object(LEASE)).spec.leaseTransitions).toBe(1)

      // Refused until the new leader says where its webhooks are.
      await expect
        .poll(
          async () => (await kube.post(SITES, site('blog', { host: 'blog', replicas: 1 }))).status,
          PATIENTLY,
        )
        .toBe(201)
      await expect
        .poll(() => object(`${DEPLOYMENTS}/blog`), PATIENTLY)
        .toMatchObject({ spec: { replicas: 1 } })
      await expect
        .poll(async () => (await object(DIRECTORY)).data)
        .toEqual({ 'web.shop': 'shop', 'web.blog': 'blog' })
    },
    { timeoutMs: 300_000 },
  )

  check(
    59,
    'cleans up by its finalizer, and what it owned is collected',
    async () => {
      expect((await object(`${SITES}/shop`)).metadata.finalizers).toEqual(['operator.orrery.test/directory'])
      expect(await kube.delete(`${SITES}/shop`)).toMatchObject({ status: 200 })

      await expect.poll(async () => (await kube.get(`${SITES}/shop`)).status, PATIENTLY).toBe(404)
      expect((await object(DIRECTORY)).data).toEqual({ 'web.blog': 'blog' })
      await expect.poll(() => eventsOf('shop')).toContain('Unlisted')
      await expect.poll(async () => (await kube.get(`${DEPLOYMENTS}/shop`)).status, PATIENTLY).toBe(404)
      expect((await kube.get(`${DEPLOYMENTS}/blog`)).status).toBe(200)
    },
    { timeoutMs: 300_000 },
  )

  check(
    31,
    'goes on when the server was killed and started again',
    async () => {
      await kube.kill()
      await kube.restart()

      // Its caches resume; nobody starts it anew.
      await expect
        .poll(async () => (await kube.post(SITES, site('wiki', { host: 'wiki' }))).status, PATIENTLY)
        .toBe(201)
      await expect
        .poll(() => object(`${DEPLOYMENTS}/wiki`), PATIENTLY)
        .toMatchObject({ spec: { replicas: 2 } })
      await expect.poll(leader, PATIENTLY).toBe('second')
      expect(await kube.delete(`${SITES}/blog`)).toMatchObject({ status: 200 })
      await expect.poll(async () => (await kube.get(`${SITES}/blog`)).status, PATIENTLY).toBe(404)
      expect((await object(DIRECTORY)).data).toEqual({ 'web.wiki': 'wiki' })
    },
    { timeoutMs: 300_000 },
  )

  check(59, 'gives its lease back when it is told to end', async () => {
    // client-go 1.20 forgets the name of a lease that it could not read, as while the server was away, until it has read it again.
    const { renewTime } = (await object(LEASE)).spec
    await expect.poll(async () => (await object(LEASE)).spec.renewTime, PATIENTLY).not.toBe(renewTime)
    expect(await end('second', 'SIGTERM')).toBe(0)
    expect(await leader()).toBe('')
  })
})
