import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { extract, pack } from 'tar-stream'
import WebSocket from 'ws'
import { type Pod } from '../../builtin/types.js'
import { send } from '../../../client/transport.js'
import { type Cluster, startCluster } from '../../controllers/fixture.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster({
    nodes: 1,
    port: 0,
    tokens: [{ token: 't', user: { name: 'admin', groups: ['system:masters'] } }],
  })
})
afterEach(() => cluster.close())

const PODS = '/api/v1/namespaces/default/pods'

async function get(path: string): Promise<{ status: number; text: string }> {
  const { status, body } = await send(cluster.kube.transport, {
    method: 'GET',
    path,
    headers: {},
    user: cluster.kube.adminUser,
  })
  return { status, text: body.toString() }
}

async function start(script: string, restartPolicy = 'Always'): Promise<void> {
  const containers = [
    {
      name: 'main',
      image: 'busybox',
      command: ['sh', '-c', script],
      env: [{ name: 'NAME', value: 'world' }],
    },
  ]
  await cluster.create('pods', { metadata: { name: 'p' }, spec: { containers, restartPolicy } })
  await until((pod) =>
    pod?.status.containerStatuses?.[0]?.state?.waiting === undefined ? pod?.status.startTime : undefined,
  )
}

async function until(
  what: (pod: (Pod & { status: { startTime?: string } }) | undefined) => unknown,
): Promise<void> {
  await expect
    .poll(
      () => {
        cluster.clock.advance(200)
        return what(cluster.get('pods', 'p'))
      },
      { interval: 5, timeout: 15_000 },
    )
    .toBeTruthy()
}

describe('the log of a simulated container', () => {
  it('has what its command prints, by and by', async () => {
    await start('for i in 1 2 3; do echo line $i; sleep 10; done; sleep 1000')
    cluster.clock.advance(30_000)

    expect((await get(`${PODS}/p/log`)).text).toBe('line 1\nline 2\nline 3\n')
    expect((await get(`${PODS}/p/log?tailLines=1`)).text).toBe('line 3\n')
    expect((await get(`${PODS}/p/log?limitBytes=4`)).text).toBe('line')
    expect((await get(`${PODS}/p/log?sinceSeconds=15`)).text).not.toContain('line 1')
    expect((await get(`${PODS}/p/log?timestamps=true&tailLines=1`)).text).toMatch(
      /^2026-01-01T00:00:\d\d\.\d{9}Z line 3\n$/,
    )
  })

  it('that is followed goes on until the container ends', async () => {
    await start('while true; do echo tick; sleep 10; done')
    let [text, ended] = ['', false]
    cluster.kube.transport.dispatch(
      { method: 'GET', path: `${PODS}/p/log?follow=true`, headers: {}, user: cluster.kube.adminUser },
      {
        head() {},
        data(chunk) {
          text += Buffer.from(chunk).toString()
          return true
        },
        end: () => (ended = true),
        fail() {},
      },
    )
    await expect.poll(() => text).toBe('tick\n')
    cluster.clock.advance(10_000)
    await expect.poll(() => text).toBe('tick\ntick\n')
    expect(ended).toBe(false)

    await cluster.delete('pods', 'p')

    await expect
      .poll(() => {
        cluster.clock.advance(500)
        return ended
      })
      .toBe(true)
  })

  it('of the last run is kept while a container backs off', async () => {
    await start('echo dying; exit 1')
    await until((pod) => pod?.status.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff')

    expect((await get(`${PODS}/p/log`)).text).toBe('dying\n')
    expect((await get(`${PODS}/p/log?previous=true`)).text).toBe('dying\n')
  })

  it('is refused where there is none, or it is not clear which', async () => {
    await start('sleep 1000')
    expect(await get(`${PODS}/p/log?previous=true`)).toMatchObject({
      status: 400,
      text: expect.stringContaining('previous terminated container') as string,
    })
    expect(await get(`${PODS}/p/log?container=x`)).toMatchObject({
      status: 400,
      text: expect.stringContaining('container x is not valid for pod p') as string,
    })
    expect(await get(`${PODS}/p/log?tailLines=many`)).toMatchObject({ status: 400 })
    await cluster.create('pods', {
      metadata: { name: 'q' },
      spec: { containers: [{ name: 'main', image: 'web:404' }], nodeName: 'simulated-1' },
    })

    expect(await get(`${PODS}/q/log`)).toMatchObject({
      status: 400,
      text: expect.stringContaining('is waiting to start') as string,
    })
  })
})

interface Session {
  out: string
  raw: Buffer
  err: string
  status: { status?: string; reason?: string; details?: { causes: { message: string }[] } } | undefined
  type(text: string | Buffer): void
  /** Closes the input. */
  end(): void
}

async function exec(query: string): Promise<Session> {
  const { url = '', caPem } = cluster.kube
  const socket = new WebSocket(`${url.replace('https', 'wss')}${PODS}/p/exec?${query}`, 'v5.channel.k8s.io', {
    ca: caPem,
    headers: { authorization: 'Bearer t' },
  })
  const session: Session = {
    out: '',
    raw: Buffer.alloc(0),
    err: '',
    status: undefined,
    type: (text) => socket.send(Buffer.concat([Buffer.of(0), Buffer.from(text)])),
    end: () => socket.send(Buffer.of(255, 0)),
  }
  socket.on('message', (data: Buffer) => {
    const text = data.subarray(1).toString()
    if (data[0] === 1) session.out += text
    if (data[0] === 1) session.raw = Buffer.concat([session.raw, data.subarray(1)])
    if (data[0] === 2) session.err += text
    if (data[0] === 3) session.status = JSON.parse(text) as Session['status']
  })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  return session
}

async function finished(query: string): Promise<Session> {
  const session = await exec(query)
  await expect.poll(() => session.status).toBeDefined()
  return session
}

const words = (...all: string[]): string => all.map((word) => `command=${encodeURIComponent(word)}`).join('&')

describe('exec into a simulated container', () => {
  it('runs what it knows, with the environment of the container', async () => {
    await start('sleep 1000')
    const session = await exec(`${words('sh', '-c', 'echo "hello $NAME"')}&stdout=true`)

    await expect.poll(() => session.status).toEqual({ metadata: {}, status: 'Success' })
    expect(session.out).toBe('hello world\n')
  })

  it('tells how a command ended, and says of unknown ones that it is simulated', async () => {
    await start('sleep 1000')
    const failing = await exec(`${words('sh', '-c', 'exit 3')}&stdout=true`)
    await expect.poll(() => failing.status?.details?.causes[0]?.message).toBe('3')
    const unknown = await exec(`${words('psql')}&stdout=true&stderr=true`)

    await expect.poll(() => unknown.status?.details?.causes[0]?.message).toBe('127')
    expect(unknown.err).toContain('psql: not found (this container is simulated')
  })

  it('reads commands as they are typed', async () => {
    await start('sleep 1000')
    const session = await exec(`${words('sh')}&stdin=true&stdout=true&tty=true`)
    session.type('hostname\n')
    await expect.poll(() => session.out).toContain('\np\n')
    expect(session.out).toContain('This container is simulated')
    session.type('echo bye; exit 4\n')

    await expect.poll(() => session.status?.details?.causes[0]?.message).toBe('4')
  })

  it('keeps what is written while the container runs, for all that look later', async () => {
    await start('sleep 20')
    const ran = async (script: string): Promise<string> => {
      const { status, ...session } = await finished(`${words('sh', '-c', script)}&stdout=true&stderr=true`)
      return `${status?.details?.causes[0]?.message ?? 0} ${session.out}${session.err}`
    }
    expect(await ran('mkdir -p /data && echo hello > /data/x')).toBe('0 ')
    expect(await ran('cat /data/x; ls /data /nothing')).toBe(
      '1 hello\nx\nls: /nothing: No such file or directory\n',
    )

    await until((pod) => (pod?.status.containerStatuses?.[0] as { restartCount: number }).restartCount === 1)
    await until((pod) => pod?.status.containerStatuses?.[0]?.state?.running)

    expect(await ran('cat /data/x')).toBe("1 cat: can't open '/data/x': No such file or directory\n")
  })

  it('reads its input to the end, whatever it is', async () => {
    await start('sleep 1000')
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_none, index) => index % 256))
    const writing = await exec(`${words('sh', '-c', 'cat > /tmp/bytes')}&stdin=true`)
    writing.type(bytes.subarray(0, 500))
    writing.type(bytes.subarray(500))
    writing.end()
    await expect.poll(() => writing.status?.status).toBe('Success')

    const { raw } = await finished(`${words('cat', '/tmp/bytes')}&stdout=true`)
    expect(raw.equals(bytes)).toBe(true)
    expect((await finished(`${words('cat')}&stdout=true`)).status?.status).toBe('Success')
  })

  it('takes no more bytes than a container may have', async () => {
    await start('sleep 1000')
    const writing = await exec(`${words('sh', '-c', 'cat > /tmp/big')}&stdin=true&stderr=true`)
    for (let count = 0; count < 9; count++) writing.type(Buffer.alloc(1024 * 1024))
    writing.end()

    await expect.poll(() => writing.status?.details?.causes[0]?.message).toBeDefined()
    expect(writing.err).toContain('No space left on device')
  })

  it('packs and unpacks archives, and lets none out of its directory', async () => {
    await start('sleep 1000')
    const archive = pack()
    archive.entry({ name: 'a/b' }, 'content')
    archive.entry({ name: '../evil' }, 'x')
    archive.entry({ name: 'link', type: 'symlink', linkname: '/etc/hostname' })
    archive.finalize()
    const unpacking = await exec(`${words('tar', '-xmf', '-', '-C', '/tmp/in')}&stdin=true&stderr=true`)
    for await (const piece of archive as AsyncIterable<Buffer>) unpacking.type(piece)
    // No end of the input: the archive has one.
    await expect.poll(() => unpacking.status?.details?.causes[0]?.message).toBe('1')
    expect(unpacking.err).toContain("../evil: Member name contains '..'")
    expect(unpacking.err).toContain('a symlink is not simulated')

    const { raw } = await finished(`${words('tar', 'cf', '-', '/tmp/in')}&stdout=true`)
    const found: string[] = []
    const reader = extract()
    reader.end(raw)
    for await (const entry of reader) {
      const pieces: Buffer[] = []
      for await (const piece of entry as AsyncIterable<Buffer>) pieces.push(piece)
      found.push(`${entry.header.name} ${Buffer.concat(pieces).toString()}`)
    }
    expect(found).toEqual(['tmp/in/ ', 'tmp/in/a/ ', 'tmp/in/a/b content'])
    expect((await finished(`${words('tar', 'cf', '-', '/no')}&stdout=true`)).status?.status).toBe('Failure')
  })

  it('is refused where no container runs, and without a WebSocket', async () => {
    await start('exit 0', 'Never')
    await until((pod) => pod?.status.phase === 'Succeeded')
    expect((await get(`${PODS}/p/exec?${words('ls')}`)).status).toBe(400)
    expect((await get(`${PODS}/p/portforward`)).text).toContain('port-forward needs an upgrade to SPDY/3.1')
  })
})

describe('the proxy of simulated pods', () => {
  const SERVICES = '/api/v1/namespaces/default/services'
  const containers = [
    { name: 'main', image: 'nginx', ports: [{ name: 'http', containerPort: 8080 }] },
    { name: 'side', image: 'redis', ports: [{ containerPort: 6379 }] },
  ]
  beforeEach(async () => {
    await cluster.create('pods', { metadata: { name: 'p', labels: { app: 'web' } }, spec: { containers } })
    await cluster.create('services', {
      metadata: { name: 'web' },
      spec: { selector: { app: 'web' }, ports: [{ name: 'www', port: 80, targetPort: 'http' }] },
    })
    await until((pod) => pod?.status.phase === 'Running')
  })

  it('answers on declared ports, with what the image is said to serve', async () => {
    const page = await get(`${PODS}/p/proxy/a/b`)
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining('<html>') as string })
    expect(page.text).toContain('simulated')
    expect(page.text).toContain('GET /a/b')
    expect((await get(`${PODS}/p:6379/proxy/`)).text).toContain('container: side, image redis, port 6379')
    expect((await get(`${PODS}/p:9/proxy/`)).status).toBe(503)
    expect((await get(`${PODS}/p:9/proxy/`)).text).toContain('connection refused (the pod is simulated')
  })

  it('puts nothing of the path into a page that a browser would run', async () => {
    const { text } = await get(`${PODS}/p/proxy/%3Cscript%3Ealert(1)%3C/script%3E`)

    expect(text).not.toContain('<script>')
  })

  it('reaches them through their Service, once they are ready', async () => {
    await expect.poll(async () => (await get(`${SERVICES}/web:80/proxy/`)).status).toBe(200)
    expect((await get(`${SERVICES}/http:web:www/proxy/x`)).text).toContain('reached port 8080')

    await cluster.patch('services', 'web', { spec: { selector: { app: 'other' } } })

    await expect
      .poll(async () => (await get(`${SERVICES}/web:80/proxy/`)).text)
      .toContain('no endpoints available for service')
  })
})

describe('the metrics of simulated nodes', () => {
  interface Measured {
    items: {
      metadata: { name: string }
      usage: { cpu: string }
      containers: { name: string; usage: { cpu: string; memory: string } }[]
    }[]
  }
  const read = async (path: string): Promise<Measured> => JSON.parse((await get(path)).text) as Measured

  it('follow what pods ask for, move with time, and are the same at the same time', async () => {
    const resources = { requests: { cpu: '500m', memory: '100Mi' } }
    await cluster.create('pods', {
      metadata: { name: 'p', labels: { app: 'x' } },
      spec: { containers: [{ name: 'main', image: 'nginx', resources }] },
    })
    await until((pod) => pod?.status.phase === 'Running')
    const path = '/apis/metrics.k8s.io/v1beta1/namespaces/default/pods'
    const first = await read(path)
    expect(first.items).toMatchObject([{ metadata: { name: 'p' }, containers: [{ name: 'main' }] }])
    expect(JSON.stringify(first.items[0]?.metadata)).toContain('Simulated: worked out')
    const cpu = Number(first.items[0]?.containers[0]?.usage.cpu.replace('n', ''))
    expect(cpu).toBeGreaterThan(50e6)
    expect(cpu).toBeLessThan(600e6)
    expect(await read(path)).toEqual(first)
    expect((await read(`${path}?labelSelector=app=y`)).items).toEqual([])

    cluster.clock.advance(60_000)

    expect((await read(path)).items[0]?.containers).not.toEqual(first.items[0]?.containers)
    expect((await read('/apis/metrics.k8s.io/v1beta1/nodes')).items).toHaveLength(1)
  })

  it('are in discovery, and a node sums its pods up', async () => {
    expect((await get('/apis/metrics.k8s.io/v1beta1')).text).toContain('"PodMetrics"')
    const summary = JSON.parse((await get('/api/v1/nodes/simulated-1/proxy/stats/summary')).text) as object

    expect(summary).toMatchObject({ node: { nodeName: 'simulated-1' }, pods: [] })
  })
})
