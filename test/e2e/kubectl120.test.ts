/** kubectl 1.20 against the embedded API: another way of discovering, applying, describing and streaming than today's. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startKube, type TestKube } from 'orrery/kube'
import { type Ran } from '../fixtures/kubetools.js'
import { oldKubectl, runOldKubectl, WITHOUT_OLD_KUBECTL } from '../fixtures/oldkubectl.js'

const title = 'kubectl 1.20'

describe.skipIf(oldKubectl === undefined)(oldKubectl ? title : `${title} ${WITHOUT_OLD_KUBECTL}`, () => {
  let kube: TestKube
  let home: string
  let kubeconfig: string
  beforeAll(async () => {
    kube = await startKube({ port: 0, nodes: 2 })
    home = mkdtempSync(join(tmpdir(), 'orrery-kubectl120-'))
    kubeconfig = join(home, 'kubeconfig')
    writeFileSync(kubeconfig, kube.kubeconfig ?? '')
  })
  afterAll(async () => {
    await kube.close()
    rmSync(home, { recursive: true, force: true })
  })
  const run = (args: readonly string[], input?: string): Promise<Ran> =>
    runOldKubectl(args, { kubeconfig, home, ...(input !== undefined && { input }) })
  async function kubectl(...args: string[]): Promise<string> {
    const { code, out, err } = await run(args)
    expect(code, err + out).toBe(0)
    return out
  }

  const DEPLOYMENT = (image: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: '${image}', ports: [{ containerPort: 80 }] }] }
`

  it('applies, compares, edits, scales, rolls out and undoes, and deletes in each way', async () => {
    expect((await run(['apply', '-f', '-'], DEPLOYMENT('nginx:1.21'))).out).toBe(
      'deployment.apps/web created\n',
    )
    expect((await run(['apply', '-f', '-'], DEPLOYMENT('nginx:1.21'))).out).toBe(
      'deployment.apps/web unchanged\n',
    )
    const diff = await run(['diff', '-f', '-'], DEPLOYMENT('nginx:1.22'))
    expect(diff).toMatchObject({ code: 1, out: expect.stringMatching(/^\+.*image: nginx:1\.22$/m) as string })
    expect((await run(['apply', '-f', '-'], DEPLOYMENT('nginx:1.22'))).out).toBe(
      'deployment.apps/web configured\n',
    )
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=40s')
    await kubectl('scale', 'deployment', 'web', '--replicas=2')
    await kubectl(
      'patch',
      'deployment',
      'web',
      '-p',
      '{"spec":{"template":{"metadata":{"labels":{"x":"y"}}}}}',
    )
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=40s')
    await kubectl('rollout', 'undo', 'deployment/web')
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=40s')
    await kubectl('wait', '--for=condition=Available', 'deployment/web', '--timeout=40s')
    expect(await kubectl('get', 'deployment', 'web', '-o', 'wide')).toMatch(
      /web +2\/2 +2 +2 .* nginx:1\.22 +app=web/,
    )
    expect(await kubectl('describe', 'deployment', 'web')).toMatch(/Replicas: +2 desired/)
    expect(await kubectl('explain', 'deployment.spec.strategy')).toContain('rollingUpdate')

    await kubectl('delete', 'deployment', 'web', '--cascade=orphan')
    expect(await kubectl('get', 'rs', '-l', 'app=web', '-o', 'name')).toContain('replicaset')
    await kubectl('delete', 'rs', '-l', 'app=web', '--cascade=foreground')
    await run(['apply', '-f', '-'], DEPLOYMENT('nginx:1.21'))
    await kubectl('delete', 'deployment', 'web', '--cascade=background')
    await expect
      .poll(() => kubectl('get', 'pods', '-l', 'app=web', '-o', 'name'), { timeout: 40_000 })
      .toBe('')
  }, 240_000)

  it('applies on the server, and asks what it may', async () => {
    const map = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: cm }\ndata: { a: "1" }\n'
    expect((await run(['apply', '--server-side', '-f', '-'], map)).out).toContain('serverside-applied')
    const taken = await run(
      ['apply', '--server-side', '--field-manager=other', '-f', '-'],
      map.replace('1"', '2"'),
    )
    expect(taken.err).toContain('conflict with "kubectl": .data.a')
    expect((await kubectl('auth', 'can-i', 'delete', 'pods')).trim()).toBe('yes')
    expect(await kubectl('auth', 'can-i', '--list', '--as=nobody')).toContain('selfsubjectaccessreviews')
  }, 60_000)

  it('follows logs, runs commands, copies files, forwards ports and shows what is used', async () => {
    await kubectl(
      'run',
      'old',
      '--image=busybox',
      '--restart=Never',
      '--port=80',
      '--',
      'sh',
      '-c',
      'echo begin; sleep 1000000',
    )
    await kubectl('wait', '--for=condition=Ready', 'pod/old', '--timeout=40s')
    expect(await kubectl('logs', 'old')).toBe('begin\n')
    expect((await run(['exec', 'old', '--', 'echo', 'hi'])).out).toBe('hi\n')
    expect((await run(['exec', 'old', '--', 'sh', '-c', 'exit 3'])).code).toBe(3)
    expect(await kubectl('top', 'nodes')).toMatch(/simulated-\d +\d+m +\d+%/)
    await expect
      .poll(async () => (await run(['top', 'pod', 'old'])).out, { timeout: 40_000 })
      .toMatch(/old +\d+m +\d+Mi/)

    const file = join(home, 'there.txt')
    writeFileSync(file, 'copied\n')
    await kubectl('cp', file, 'old:/tmp/there.txt')
    await kubectl('cp', 'old:/tmp/there.txt', join(home, 'back.txt'))
    expect(readFileSync(join(home, 'back.txt'), 'utf8')).toBe('copied\n')

    const child = spawn(oldKubectl ?? '', ['port-forward', 'pod/old', ':80'], {
      env: { KUBECONFIG: kubeconfig, HOME: home },
    })
    try {
      let said = ''
      child.stdout.on('data', (data: Buffer) => (said += data.toString()))
      await expect.poll(() => said, { timeout: 40_000 }).toMatch(/Forwarding from 127\.0\.0\.1:(\d+) -> 80/)
      const [, port = ''] = /127\.0\.0\.1:(\d+)/.exec(said) ?? []
      expect(await (await fetch(`http://127.0.0.1:${port}/a`)).text()).toContain('request: GET /a\n')
    } finally {
      child.kill()
    }
  }, 180_000)
})
