/** kubectl 1.32 against the embedded API with simulated nodes: what people do with workloads. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startKube, type TestKube } from 'orrery/kube'
import { hasKubeTools, kubeTool, type Ran, runTool } from '../fixtures/kubetools.js'

let kube: TestKube
let home: string
beforeAll(async () => {
  kube = await startKube({ port: 0, nodes: 2 })
  home = mkdtempSync(join(tmpdir(), 'orrery-kubectl-'))
  writeFileSync(join(home, 'kubeconfig'), kube.kubeconfig ?? '')
})
afterAll(async () => {
  await kube.close()
  rmSync(home, { recursive: true, force: true })
})

const run = (args: readonly string[], input?: string): Promise<Ran> =>
  runTool('kubectl', args, {
    kubeconfig: join(home, 'kubeconfig'),
    home,
    ...(input !== undefined && { input }),
  })
async function kubectl(...args: string[]): Promise<string> {
  const { code, out, err } = await run(args)
  expect(code, err + out).toBe(0)
  return out
}

describe.runIf(hasKubeTools)('kubectl', () => {
  it('creates, scales, rolls out, undoes and restarts a deployment', async () => {
    await kubectl('create', 'deployment', 'web', '--image=nginx:1.21', '--replicas=2')
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=40s')
    await kubectl('scale', 'deployment', 'web', '--replicas=3')
    await kubectl('set', 'image', 'deployment/web', 'nginx=nginx:1.22')
    expect(await kubectl('rollout', 'status', 'deployment/web', '--timeout=40s')).toContain(
      'successfully rolled out',
    )
    await kubectl('rollout', 'undo', 'deployment/web')
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=40s')
    expect(await kubectl('get', 'deployment', 'web', '-o', 'jsonpath={..image}')).toBe('nginx:1.21')
    await kubectl('rollout', 'restart', 'deployment/web')
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=40s')
    await kubectl('wait', '--for=condition=Available', 'deployment/web', '--timeout=20s')
    expect(await kubectl('get', 'events')).toContain('ScalingReplicaSet')

    await kubectl('delete', 'deployment', 'web', '--cascade=foreground')
    expect(await kubectl('get', 'rs', '-o', 'name')).toBe('')
  }, 180_000)

  it('reads logs, runs commands with their exit code, and is told what is simulated', async () => {
    await kubectl(
      'run',
      'loop',
      '--image=busybox',
      '--restart=Never',
      '--',
      'sh',
      '-c',
      'echo begin; sleep 2; echo end; sleep 1',
    )
    await kubectl('wait', '--for=condition=Ready', 'pod/loop', '--timeout=20s')
    const exec = (...command: string[]): Promise<Ran> => run(['exec', 'loop', '--', ...command])

    expect(await exec('echo', 'hi')).toMatchObject({ code: 0, out: 'hi\n' })
    expect((await exec('sh', '-c', 'exit 3')).code).toBe(3)
    expect((await exec('psql')).err).toContain('this container is simulated')
    expect(await kubectl('logs', '-f', 'loop')).toBe('begin\nend\n')
  }, 120_000)

  it('runs commands over SPDY, as older ones do', async () => {
    await kubectl('run', 'old', '--image=busybox', '--restart=Never', '--', 'sleep', '1000000')
    await kubectl('wait', '--for=condition=Ready', 'pod/old', '--timeout=20s')
    const exec = (input: string, ...args: string[]): Promise<Ran> =>
      runTool('kubectl', ['exec', ...args], {
        kubeconfig: join(home, 'kubeconfig'),
        home,
        input,
        env: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false' },
      })

    expect(await exec('', 'old', '--', 'echo', 'hi')).toMatchObject({ code: 0, out: 'hi\n' })
    expect((await exec('', 'old', '--', 'sh', '-c', 'exit 3')).code).toBe(3)
    expect((await exec('echo typed\nexit 4\n', '-i', 'old', '--', 'sh')).out).toContain('typed')
  }, 60_000)

  it.each([
    ['over a WebSocket', 'true'],
    ['over SPDY, as older ones do', 'false'],
  ])(
    'copies files and directories to a pod and back, %s',
    async (_how, webSockets) => {
      const pod = `copy-${webSockets}`
      await kubectl('run', pod, '--image=nginx')
      await kubectl('wait', '--for=condition=Ready', `pod/${pod}`, '--timeout=40s')
      const here = join(home, pod)
      mkdirSync(join(here, 'dir', 'deep'), { recursive: true })
      const bytes = randomBytes(300_000)
      writeFileSync(join(here, 'dir', 'deep', 'bytes'), bytes)
      writeFileSync(join(here, 'note'), 'hello')
      const env = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: webSockets }
      const copy = (from: string, to: string): Promise<Ran> =>
        runTool('kubectl', ['cp', from, to], { kubeconfig: join(home, 'kubeconfig'), home, env })

      expect(await copy(join(here, 'dir'), `${pod}:/srv/dir`)).toMatchObject({ code: 0 })
      expect(await copy(join(here, 'note'), `${pod}:/tmp`)).toMatchObject({ code: 0 })
      expect(await kubectl('exec', pod, '--', 'sh', '-c', 'cat /tmp/note; ls /srv/dir')).toBe('hellodeep\n')

      expect(await copy(`${pod}:/srv/dir`, join(here, 'back'))).toMatchObject({ code: 0 })
      expect(readFileSync(join(here, 'back', 'deep', 'bytes')).equals(bytes)).toBe(true)
    },
    90_000,
  )

  it.each([
    ['over a WebSocket', 'true'],
    ['over SPDY, as older ones do', 'false'],
  ])(
    'forwards ports to a page that says it is simulated, %s',
    async (_how, webSockets) => {
      const pod = `fwd-${webSockets}`
      await kubectl('run', pod, '--image=nginx', '--port=80')
      await kubectl('wait', '--for=condition=Ready', `pod/${pod}`, '--timeout=40s')
      const child = spawn(kubeTool('kubectl'), ['port-forward', `pod/${pod}`, ':80'], {
        env: {
          KUBECONFIG: join(home, 'kubeconfig'),
          HOME: home,
          KUBECTL_PORT_FORWARD_WEBSOCKETS: webSockets,
        },
      })
      try {
        let said = ''
        child.stdout.on('data', (data: Buffer) => (said += data.toString()))
        child.stderr.on('data', (data: Buffer) => (said += data.toString()))
        await expect.poll(() => said).toMatch(/Forwarding from 127\.0\.0\.1:(\d+) -> 80/)
        const [, port = ''] = /127\.0\.0\.1:(\d+)/.exec(said) ?? []

        for (const path of ['/a', '/b']) {
          const answer = await fetch(`http://127.0.0.1:${port}${path}`)
          expect(answer.status).toBe(200)
          const page = await answer.text()
          expect(page).toContain('simulated: no program runs here')
          expect(page).toContain(`GET ${path}<`)
        }
      } finally {
        child.kill()
      }
      expect(await kubectl('get', '--raw', `/api/v1/namespaces/default/pods/${pod}:80/proxy/x`)).toContain(
        'GET /x<',
      )
    },
    60_000,
  )

  it('describes, compares, patches, applies on the server, makes tokens and orphans', async () => {
    await kubectl('create', 'deployment', 'many', '--image=nginx', '--replicas=1')
    await kubectl('rollout', 'status', 'deployment/many', '--timeout=40s')
    expect(await kubectl('describe', 'deployment', 'many')).toMatch(/Replicas: +1 desired/)
    expect(await kubectl('describe', 'node', 'simulated-1')).toContain('Orrery simulated node')

    const map = (value: string): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: cm }\ndata: { a: '${value}' }\n`
    expect((await run(['apply', '--server-side', '-f', '-'], map('1'))).out).toContain('serverside-applied')
    const diff = await run(['diff', '--server-side', '-f', '-'], map('2'))
    expect(diff).toMatchObject({ code: 1, out: expect.stringContaining('+  a: "2"') as string })
    await kubectl(
      'patch',
      'configmap',
      'cm',
      '--type=json',
      '-p',
      '[{"op":"add","path":"/data/b","value":"3"}]',
    )
    await kubectl(
      'patch',
      'deployment',
      'many',
      '-p',
      '{"spec":{"template":{"metadata":{"labels":{"x":"y"}}}}}',
    )
    await kubectl('rollout', 'status', 'deployment/many', '--timeout=40s')
    expect(await kubectl('get', 'configmap', 'cm', '-o', 'jsonpath={.data.b}')).toBe('3')
    expect((await kubectl('create', 'token', 'default')).split('.')).toHaveLength(3)
    expect((await kubectl('auth', 'can-i', 'delete', 'pods')).trim()).toBe('yes')

    await kubectl('delete', 'deployment', 'many', '--cascade=orphan')
    expect(await kubectl('get', 'rs', '-l', 'app=many', '-o', 'name')).toContain('replicaset')
    await kubectl('delete', 'rs', '-l', 'app=many', '--cascade=background')
  }, 120_000)

  it('drains a node, and shows what nodes and pods use', async () => {
    await kubectl('create', 'deployment', 'spread', '--image=nginx', '--replicas=4')
    await kubectl('rollout', 'status', 'deployment/spread', '--timeout=40s')
    await kubectl('drain', 'simulated-1', '--ignore-daemonsets', '--force', '--timeout=40s')
    await kubectl('rollout', 'status', 'deployment/spread', '--timeout=40s')

    const places = await kubectl('get', 'pods', '-l', 'app=spread', '-o', 'jsonpath={..spec.nodeName}')
    expect(new Set(places.split(' '))).toEqual(new Set(['simulated-2']))
    expect(await kubectl('get', 'nodes')).toMatch(/simulated-1 +Ready,SchedulingDisabled/)
    await kubectl('uncordon', 'simulated-1')
    expect(await kubectl('top', 'nodes')).toMatch(/simulated-2 +\d+m +\d+%/)
    expect(await kubectl('top', 'pods', '-l', 'app=spread')).toMatch(/spread-\S+ +\d+m +\d+Mi/)
  }, 120_000)

  it('runs a job to its end', async () => {
    await kubectl('create', 'job', 'pi', '--image=busybox', '--', 'sh', '-c', 'echo 3.14')
    await kubectl('wait', '--for=condition=complete', 'job/pi', '--timeout=40s')

    expect(await kubectl('logs', 'job/pi')).toBe('3.14\n')
  }, 60_000)
})
