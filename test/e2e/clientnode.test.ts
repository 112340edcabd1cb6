/** @kubernetes/client-node against the embedded API: what a program in TypeScript does with a cluster. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import {
  AppsV1Api,
  AuthenticationV1Api,
  AuthorizationV1Api,
  CoreV1Api,
  Cp,
  Exec,
  KubeConfig,
  KubernetesObjectApi,
  Log,
  makeInformer,
  Metrics,
  PatchStrategy,
  PortForward,
  type V1ConfigMap,
  type V1Deployment,
  type V1Status,
  Watch,
} from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startKube, type TestKube } from 'orrery/kube'

const namespace = 'default'
let kube: TestKube
let config: KubeConfig
let core: CoreV1Api
let apps: AppsV1Api
let objects: KubernetesObjectApi
let home: string
beforeAll(async () => {
  kube = await startKube({ port: 0, nodes: 1 })
  config = new KubeConfig()
  config.loadFromString(kube.kubeconfig ?? '')
  core = config.makeApiClient(CoreV1Api)
  apps = config.makeApiClient(AppsV1Api)
  objects = KubernetesObjectApi.makeApiClient(config)
  home = mkdtempSync(join(tmpdir(), 'orrery-clientnode-'))
})
afterAll(async () => {
  await kube.close()
  rmSync(home, { recursive: true, force: true })
})

function collected(): { stream: Writable; text: () => string } {
  const chunks: Buffer[] = []
  const write = (chunk: Buffer, _: unknown, done: () => void): void => {
    chunks.push(Buffer.from(chunk))
    done()
  }
  return { stream: new Writable({ write }), text: () => Buffer.concat(chunks).toString() }
}

async function running(name: string, command: string[]): Promise<void> {
  const container = { name: 'main', image: 'busybox', command, ports: [{ containerPort: 80 }] }
  await core.createNamespacedPod({
    namespace,
    body: { metadata: { name }, spec: { restartPolicy: 'Never', containers: [container] } },
  })
  await expect
    .poll(async () => (await core.readNamespacedPod({ namespace, name })).status?.phase, { timeout: 40_000 })
    .toBe('Running')
}

const web = (image: string): V1Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image }] } },
  },
})

describe('@kubernetes/client-node', () => {
  it('applies, patches, scales and deletes a deployment, its pods last', async () => {
    const apply = (image: string, manager: string) =>
      objects.patch(web(image), undefined, undefined, manager, false, PatchStrategy.ServerSideApply)
    await apply('nginx:1.21', 'one')
    await expect(apply('nginx:1.22', 'two')).rejects.toMatchObject({ code: 409 })
    await objects.patch(
      { ...web('nginx:1.21'), metadata: { name: 'web', namespace, labels: { patched: 'yes' } } },
      undefined,
      undefined,
      undefined,
      undefined,
      PatchStrategy.StrategicMergePatch,
    )
    const scale = await apps.readNamespacedDeploymentScale({ namespace, name: 'web' })
    await apps.replaceNamespacedDeploymentScale({
      namespace,
      name: 'web',
      body: { ...scale, spec: { replicas: 2 } },
    })
    await expect
      .poll(
        async () => (await apps.readNamespacedDeployment({ namespace, name: 'web' })).status?.readyReplicas,
        {
          timeout: 40_000,
        },
      )
      .toBe(2)
    expect((await apps.readNamespacedDeployment({ namespace, name: 'web' })).metadata?.labels).toEqual({
      patched: 'yes',
    })

    await apps.deleteNamespacedDeployment({ namespace, name: 'web', propagationPolicy: 'Foreground' })
    await expect
      .poll(
        async () => (await core.listNamespacedPod({ namespace, labelSelector: 'app=web' })).items.length,
        {
          timeout: 40_000,
        },
      )
      .toBe(0)
  }, 120_000)

  it('watches, and keeps an informer', async () => {
    const list = () => core.listNamespacedConfigMap({ namespace, labelSelector: 'seen=yes' })
    const path = `/api/v1/namespaces/${namespace}/configmaps`
    const informer = makeInformer<V1ConfigMap>(config, path, list, 'seen=yes')
    const told: string[] = []
    informer.on('add', ({ metadata }) => told.push(`add ${metadata?.name}`))
    informer.on('delete', ({ metadata }) => told.push(`delete ${metadata?.name}`))
    await informer.start()
    const phases: string[] = []
    const abort = await new Watch(config).watch(
      path,
      { labelSelector: 'seen=yes' },
      (phase) => phases.push(phase),
      () => undefined,
    )
    try {
      const metadata = { name: 'seen', labels: { seen: 'yes' } }
      await core.createNamespacedConfigMap({ namespace, body: { metadata } })
      await expect.poll(() => told).toContain('add seen')
      await core.deleteNamespacedConfigMap({ namespace, name: 'seen' })
      await expect.poll(() => told).toEqual(['add seen', 'delete seen'])
      await expect.poll(() => phases).toEqual(['ADDED', 'DELETED'])
    } finally {
      await informer.stop()
      abort.abort()
    }
  }, 60_000)

  it('follows logs, runs commands, copies files, forwards a port and reads what is used', async () => {
    await running('tool', ['sh', '-c', 'echo begin; sleep 1000000'])
    const log = collected()
    const following = await new Log(config).log(namespace, 'tool', 'main', log.stream, { follow: true })
    await expect.poll(log.text).toBe('begin\n')
    following.abort()

    const output = collected()
    const status = await new Promise<V1Status>((resolve, reject) => {
      new Exec(config)
        .exec(
          namespace,
          'tool',
          'main',
          ['sh', '-c', 'echo hi; exit 3'],
          output.stream,
          output.stream,
          null,
          false,
          resolve,
        )
        .catch(reject)
    })
    expect(output.text()).toBe('hi\n')
    expect(status.details?.causes).toEqual([{ reason: 'ExitCode', message: '3' }])

    // It copies what is in a folder, and does not wait for the end.
    const folder = mkdtempSync(join(home, 'up-'))
    writeFileSync(join(folder, 'there.txt'), 'copied\n')
    await new Cp(config).cpToPod(namespace, 'tool', 'main', folder, '/tmp')
    await expect.poll(() => said('tool', ['cat', '/tmp/there.txt']), { timeout: 40_000 }).toBe('copied\n')

    const server = await forwarding('tool', 80)
    try {
      const { port } = server.address() as { port: number }
      expect(await (await fetch(`http://127.0.0.1:${port}/a`)).text()).toContain('request: GET /a\n')
    } finally {
      server.close()
    }
    await expect
      .poll(async () => (await new Metrics(config).getNodeMetrics()).items[0]?.usage.cpu, { timeout: 40_000 })
      .toMatch(/^\d+[nm]?$/)
  }, 120_000)

  it('asks what it may, and makes a token that is known', async () => {
    const review = await config.makeApiClient(AuthorizationV1Api).createSelfSubjectAccessReview({
      body: { spec: { resourceAttributes: { verb: 'delete', resource: 'pods', namespace } } },
    })
    expect(review.status?.allowed).toBe(true)
    const { status } = await core.createNamespacedServiceAccountToken({
      namespace,
      name: 'default',
      body: { spec: { audiences: [] } },
    })
    const known = await config
      .makeApiClient(AuthenticationV1Api)
      .createTokenReview({ body: { spec: { token: status?.token ?? '' } } })
    expect(known.status?.user?.username).toBe('system:serviceaccount:default:default')
  })
})

/** What a command says. */
async function said(pod: string, command: string[]): Promise<string> {
  const output = collected()
  const errors = collected()
  await new Promise<void>((resolve, reject) => {
    new Exec(config)
      .exec(namespace, pod, 'main', command, output.stream, errors.stream, null, false, () => resolve())
      .catch(reject)
  })
  return output.text()
}

/** A local port that leads to one of a pod. */
function forwarding(pod: string, port: number): Promise<Server> {
  const forward = new PortForward(config)
  const server = createServer((socket: Socket) => {
    const errors = new PassThrough()
    forward.portForward(namespace, pod, [port], socket, errors, socket).catch(() => socket.destroy())
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}
