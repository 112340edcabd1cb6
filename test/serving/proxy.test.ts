/** The way to the Kubernetes API: what passes, what does not, and who sets the pace. */
import http from 'node:http'
import net from 'node:net'
import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type Dispatched,
  type ResponseSink,
  type Transport,
  type TransportRequest,
} from '../../src/client/transport.js'
import { type Harness, start } from './harness.js'

/** An upstream that a test answers by hand. */
class Upstream implements Transport {
  readonly requests: TransportRequest[] = []
  readonly upgrades: TransportRequest[] = []
  aborted = 0
  resumed = 0
  answer: (request: TransportRequest, sink: ResponseSink) => void = (_request, sink) => {
    sink.head(200, { 'content-type': 'application/json' })
    sink.data(Buffer.from('{}'))
    sink.end()
  }
  upgradeAnswer: Transport['upgrade'] = () =>
    Promise.resolve({ status: 403, headers: {}, body: Buffer.from('no') })

  dispatch(request: TransportRequest, sink: ResponseSink): Dispatched {
    this.requests.push(request)
    this.answer(request, sink)
    return { abort: () => void this.aborted++, resume: () => void this.resumed++ }
  }
  upgrade(request: TransportRequest, signal?: AbortSignal) {
    this.upgrades.push(request)
    return this.upgradeAnswer(request, signal)
  }
  close = () => Promise.resolve()
}

async function eventually(check: () => void): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return check()
    } catch (error) {
      if (tries > 200) throw error
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

describe('the Kubernetes proxy', () => {
  let platform: Harness
  const open = async (upstream: Upstream, options = {}): Promise<Upstream> => {
    platform = await start({ upstream, ...options })
    return upstream
  }
  afterEach(() => platform.close())

  it('passes method, path, query and body on, and the answer back', async () => {
    const upstream = await open(new Upstream())
    const bodies: string[] = []
    upstream.answer = (request, sink) => {
      void (async () => {
        for await (const chunk of request.body as AsyncIterable<Uint8Array>)
          bodies.push(Buffer.from(chunk).toString())
        sink.head(201, {
          'content-type': 'application/json',
          'x-kubernetes-pf-flowschema-uid': 'u',
          warning: ['a', 'b'],
        })
        sink.data(Buffer.from('{"kind":"Pod"}'))
        sink.end()
      })()
    }

    const answer = await platform.send('POST', '/api/v1/namespaces/a/pods?dryrun=All', {
      user: 'admin',
      body: '{"a":1}',
    })

    expect(answer).toMatchObject({ status: 201, text: '{"kind":"Pod"}' })
    expect(answer.headers['x-kubernetes-pf-flowschema-uid']).toBe('u')
    expect(bodies.join('')).toBe('{"a":1}')
    expect(upstream.requests[0]).toMatchObject({
      method: 'POST',
      path: '/api/v1/namespaces/a/pods?dryRun=All',
    })
    // The platform has decided; towards the Kubernetes API the server acts with its own rights.
    expect(upstream.requests[0]?.user).toBeUndefined()
  })

  it('keeps a slash at the end, and forwards the path that was authorized', async () => {
    const upstream = await open(new Upstream())
    await platform.send('GET', '/api/v1/', { user: 'admin' })
    await platform.send('GET', '/api/v1/namespaces/a%2Fpods?a;watch=true', { user: 'admin' })

    expect(upstream.requests.map(({ path }) => path)).toEqual([
      '/api/v1/',
      '/api/v1/namespaces/a/pods?a%3Bwatch=true',
    ])
    expect(platform.seen.at(-1)?.info).toMatchObject({ namespace: 'a', resource: 'pods' })
  })

  it('lets no credentials and no identity of the client through', async () => {
    const upstream = await open(new Upstream())
    await platform.send('GET', '/api/v1/pods', {
      user: 'admin',
      headers: {
        'Impersonate-User': 'system:admin',
        'Impersonate-Group': 'system:masters',
        'Impersonate-Extra-Scopes': 'all',
        'X-Remote-User': 'root',
        'X-Remote-Group': 'system:masters',
        'X-KubeSphere-Authorization': 'Bearer x',
        Connection: 'X-Custom, close',
        'X-Custom': '1',
        TE: 'trailers',
        'Proxy-Authorization': 'Basic eA==',
        'X-Forwarded-For': '10.0.0.9',
        'X-Kept': 'yes',
        Host: 'platform.example',
      },
    })

    const { headers = {} } = upstream.requests[0] ?? {}
    expect(Object.keys(headers).sort()).toEqual([
      'audit-id',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-uri',
      'x-kept',
    ])
    expect(headers).toMatchObject({
      'x-forwarded-for': '10.0.0.9, 127.0.0.1',
      'x-forwarded-host': 'platform.example',
      'x-forwarded-uri': '/api/v1/pods',
    })
  })

  it('keeps hop-by-hop and cross-origin headers of the answer to itself', async () => {
    const upstream = await open(new Upstream())
    upstream.answer = (_request, sink) => {
      sink.head(200, {
        'audit-id': 'theirs',
        connection: 'x-mine',
        'x-mine': '1',
        'keep-alive': 'timeout=5',
        'access-control-allow-origin': '*',
        'x-kept': 'yes',
      })
      sink.end()
    }
    const { headers } = await platform.send('GET', '/api/v1/pods', { user: 'admin' })
    expect(headers['x-kept']).toBe('yes')
    expect(headers['audit-id']).not.toBe('theirs')
    for (const name of ['x-mine', 'access-control-allow-origin']) expect(headers[name]).toBeUndefined()
  })

  it('does not ask upstream on behalf of a refused caller', async () => {
    const upstream = await open(new Upstream())
    expect((await platform.send('GET', '/api/v1/pods', { user: 'bob' })).status).toBe(403)
    expect((await platform.send('GET', '/api')).status).toBe(403)
    expect(upstream.requests).toEqual([])
  })

  it('answers 404 for a cluster prefix that nobody serves', async () => {
    const upstream = await open(new Upstream())
    const answer = await platform.send('GET', '/api/clusters/host/v1/pods', { user: 'admin' })
    expect(answer.status).toBe(404)
    expect(answer.json()).toMatchObject({ kind: 'Status', reason: 'NotFound' })
    expect(upstream.requests).toEqual([])
  })

  it('writes the head and each event of a watch at once', async () => {
    const upstream = await open(new Upstream())
    let sink: ResponseSink | undefined
    upstream.answer = (_request, given) => {
      sink = given
      given.head(200, { 'content-type': 'application/json' })
    }
    const events: string[] = []
    let head = false
    const watch = http.get(
      { port: platform.port, path: '/api/v1/pods?watch=1', headers: { Authorization: 'Bearer admin' } },
      (response) => {
        head = true
        response.on('data', (chunk: Buffer) => events.push(chunk.toString()))
        response.on('error', () => undefined)
      },
    )
    watch.on('error', () => undefined)

    await eventually(() => expect(head).toBe(true))
    sink?.data(Buffer.from('one\n'))
    await eventually(() => expect(events).toEqual(['one\n']))
    sink?.data(Buffer.from('two\n'))
    await eventually(() => expect(events).toEqual(['one\n', 'two\n']))

    watch.destroy()
    await eventually(() => expect(upstream.aborted).toBe(1))
  })

  describe('of an answer in pieces of all sizes', () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    const pieces = [1, 400, 9_000, 20_000, 3, 70_000, 16_384, 16_384, 16_384, 16_384, 2].map((size, i) =>
      Buffer.alloc(size, bytes.subarray(i)),
    )
    const whole = Buffer.concat(pieces)
    /** Some pieces in one turn, some alone. */
    const inPieces =
      (headers: Record<string, string> = {}): Upstream['answer'] =>
      (_request, sink) => {
        const left = [...pieces]
        const turn = (): void => {
          for (const piece of left.splice(0, 1 + (left.length % 4))) sink.data(piece)
          if (left.length === 0) return sink.end()
          setImmediate(turn)
        }
        sink.head(200, { 'content-type': 'application/octet-stream', ...headers })
        turn()
      }
    const sent = async (request: string): Promise<{ head: string; body: Buffer }> => {
      const text = Buffer.from(await platform.raw(request), 'latin1')
      const end = text.indexOf('\r\n\r\n')
      return { head: text.subarray(0, end).toString().toLowerCase(), body: text.subarray(end + 4) }
    }
    const collected = (agent: http.Agent, path: string): Promise<Buffer> =>
      new Promise((resolve, reject) => {
        const headers = { Authorization: 'Bearer admin' }
        http
          .get({ port: platform.port, path, agent, headers }, (response) => {
            const chunks: Buffer[] = []
            response.on('data', (chunk: Buffer) => chunks.push(chunk))
            response.on('error', reject).on('end', () => resolve(Buffer.concat(chunks)))
          })
          .on('error', reject)
      })

    it.each([
      ['as chunks', {}],
      ['of a length told before', { 'content-length': String(whole.length) }],
    ])('passes every byte %s, and the connection takes the next request', async (_how, headers) => {
      const upstream = await open(new Upstream())
      upstream.answer = inPieces(headers)
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })

      const answers = [await collected(agent, '/api/v1/one'), await collected(agent, '/api/v1/two')]

      agent.destroy()
      expect(answers.map((answer) => answer.equals(whole))).toEqual([true, true])
    })

    it('passes every byte of an answer that is copied for the audit', async () => {
      const upstream = await open(new Upstream(), {
        audit: [{ level: () => 'RequestResponse', kubernetesAudited: () => false, sink: { accept() {} } }],
      })
      upstream.answer = inPieces()
      const agent = new http.Agent()

      const answer = await collected(agent, '/api/v1/one')

      expect(answer.equals(whole)).toBe(true)
    })

    it('ends the connection after the last byte for a client of HTTP/1.0', async () => {
      const upstream = await open(new Upstream())
      upstream.answer = inPieces()

      const { head, body } = await sent('GET /api/v1/pods HTTP/1.0\r\nAuthorization: Bearer admin\r\n\r\n')

      expect(head).not.toContain('transfer-encoding')
      expect(body.equals(whole)).toBe(true)
    })

    it('keeps the order of requests that are sent before the first is answered', async () => {
      const upstream = await open(new Upstream())
      const answers: (() => void)[] = []
      upstream.answer = ({ path }, sink) =>
        answers.push(() => {
          sink.head(200, { 'content-length': '13' })
          sink.data(Buffer.from(path))
          sink.end()
        })
      const get = (path: string, more = ''): string =>
        `GET ${path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer admin\r\n${more}\r\n`

      const answered = platform.raw(get('/api/v1/first') + get('/api/v1/other', 'Connection: close\r\n'))
      await eventually(() => expect(answers).toHaveLength(2))
      for (const answer of answers.reverse()) answer()

      expect(await answered).toMatch(/api\/v1\/first[^]*api\/v1\/other$/)
    })

    it('sends nothing of a body to who asked for the head alone', async () => {
      const upstream = await open(new Upstream())
      upstream.answer = inPieces()

      const { head, body } = await sent(
        'HEAD /api/v1/pods HTTP/1.1\r\nHost: here\r\nConnection: close\r\nAuthorization: Bearer admin\r\n\r\n',
      )

      expect(head).toContain('200 ok')
      expect(body).toHaveLength(0)
    })
  })

  it('makes upstream wait for a slow client', async () => {
    const upstream = await open(new Upstream())
    let sink: ResponseSink | undefined
    upstream.answer = (_request, given) => {
      sink = given
      given.head(200, {})
    }
    let resume = (): void => undefined
    const received = { bytes: 0 }
    const slow = http.get(
      { port: platform.port, path: '/api/v1/pods', headers: { Authorization: 'Bearer admin' } },
      (response) => {
        response.pause()
        response.on('data', (chunk: Buffer) => (received.bytes += chunk.byteLength))
        response.pause()
        resume = () => void response.resume()
      },
    )
    slow.on('error', () => undefined)
    await eventually(() => expect(sink).toBeDefined())

    const chunk = Buffer.alloc(256 * 1024)
    let sent = 0
    while (sent < 400 && sink?.data(chunk)) sent++
    expect(sent).toBeLessThan(400)
    expect(upstream.resumed).toBe(0)

    await eventually(() => expect(resume).not.toBe(undefined))
    await eventually(() => {
      resume()
      expect(upstream.resumed).toBeGreaterThan(0)
    })
    sink?.end()
    await eventually(() => expect(received.bytes).toBe((sent + 1) * chunk.byteLength))
  })

  it('answers a clean 503 when upstream cannot be reached', async () => {
    const upstream = await open(new Upstream())
    upstream.answer = (_request, sink) =>
      queueMicrotask(() => sink.fail(new Error('connect ECONNREFUSED 10.1.2.3:6443')))

    const answer = await platform.send('GET', '/api/v1/pods', { user: 'admin' })

    expect(answer.status).toBe(503)
    expect(answer.json()).toMatchObject({ kind: 'Status', reason: 'ServiceUnavailable' })
    expect(answer.text).not.toMatch(/10\.1\.2\.3|ECONN/)
  })

  it('breaks the answer off when upstream breaks off', async () => {
    const upstream = await open(new Upstream())
    upstream.answer = (_request, sink) => {
      sink.head(200, {})
      sink.data(Buffer.from('half'))
      setImmediate(() => sink.fail(new Error('reset')))
    }
    await expect(platform.send('GET', '/api/v1/pods', { user: 'admin' })).rejects.toThrow()
  })

  it('joins an upgraded connection to upstream both ways', async () => {
    const upstream = await open(new Upstream())
    const far = new PassThrough()
    upstream.upgradeAnswer = () =>
      Promise.resolve({
        status: 101,
        headers: {
          connection: 'Upgrade',
          upgrade: 'SPDY/3.1',
          'x-stream-protocol-version': 'v4.channel.k8s.io',
        },
        socket: far,
      })
    const socket = net.connect(platform.port, '127.0.0.1')
    let received = ''
    socket.on('data', (chunk) => (received += chunk.toString()))
    socket.write(
      'POST /api/v1/namespaces/a/pods/b/exec?command=sh HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n' +
        'Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n' +
        'Sec-WebSocket-Protocol: v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0\r\n\r\nearly',
    )

    await eventually(() => expect(received).toContain('early'))
    expect(received).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
    expect(received).toContain('upgrade: SPDY/3.1\r\n')
    socket.write(' later')
    await eventually(() => expect(received).toMatch(/early later$/))
    expect(upstream.upgrades[0]?.headers).toMatchObject({
      connection: 'Upgrade',
      upgrade: 'SPDY/3.1',
      'sec-websocket-protocol': 'v4.channel.k8s.io',
    })
    expect(upstream.upgrades[0]?.headers['authorization']).toBeUndefined()

    socket.destroy()
    await eventually(() => expect(far.destroyed).toBe(true))
  })

  it('passes the refusal of an upgrade on, and refuses by itself who may not', async () => {
    const upstream = await open(new Upstream())
    const upgrade = (user: string) =>
      platform.raw(
        `GET /api/v1/namespaces/a/pods/b/exec HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${user}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      )
    expect(await upgrade('admin')).toMatch(/^HTTP\/1\.1 403 [^]*\r\n\r\nno$/)
    expect(upstream.upgrades).toHaveLength(1)
    expect(await upgrade('bob')).toMatch(/^HTTP\/1\.1 403 [^]*"reason":"Forbidden"/)
    expect(upstream.upgrades).toHaveLength(1)
  })

  it('ends a watch in good order at shutdown without waiting for it', async () => {
    const upstream = await open(new Upstream())
    upstream.answer = (_request, sink) => {
      sink.head(200, {})
      sink.data(Buffer.from('event\n'))
    }
    const watch = platform.send('GET', '/api/v1/pods?watch=1', { user: 'admin' })
    await eventually(() => expect(upstream.requests).toHaveLength(1))

    const before = performance.now()
    await platform.server.close(15_000)

    expect(performance.now() - before).toBeLessThan(10_000)
    expect(await watch).toMatchObject({ status: 200, text: 'event\n' })
    expect(upstream.aborted).toBe(1)
  })
})
