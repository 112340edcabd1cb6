import { type ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../testing/eventually.js'
import { closePairs, collector, get, onCleanup, pair, PROTOCOLS } from '../testing/httppair.js'
import { send, type TransportRequest } from '../transport.js'
import { HttpTransport } from './index.js'

afterEach(closePairs)

describe.each(PROTOCOLS)('the client over %s', (protocol) => {
  it('sends method, path, headers and body, and gives back the answer', async () => {
    const { client } = await pair(protocol, (request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        const { method, url, headers } = request
        response.writeHead(201, { 'x-answer': 'yes' }).end(JSON.stringify({ method, url, headers, body }))
      })
    })

    const answer = await send(client, {
      method: 'POST',
      path: '/api/v1/pods?dryRun=All',
      headers: {
        'content-type': 'application/json',
        'x-list': ['a', 'b'],
        connection: 'x-list',
        te: 'trailers',
      },
      body: Buffer.from('{"é":1}'),
    })

    expect(answer.status).toBe(201)
    expect(answer.headers['x-answer']).toBe('yes')
    const echoed = JSON.parse(answer.body.toString()) as { headers: Record<string, string>; body: string }
    expect(echoed).toMatchObject({ method: 'POST', url: '/api/v1/pods?dryRun=All', body: '{"é":1}' })
    expect(echoed.headers).toMatchObject({ 'content-length': '8', 'x-list': 'a, b' })
    expect(echoed.headers).not.toHaveProperty('te')
  })

  it('streams a body in chunks, or with the length that was announced', async () => {
    const { client } = await pair(protocol, (request, response) => {
      let size = 0
      request.on('data', (chunk: Buffer) => (size += chunk.length))
      request.on('end', () => response.end(`${request.headers['content-length'] ?? 'chunked'} ${size}`))
    })
    async function* chunks() {
      for (let i = 0; i < 50; i++) yield Buffer.alloc(20_000, i)
    }

    const chunked = await send(client, { method: 'PUT', path: '/', headers: {}, body: chunks() })
    const sized = await send(client, {
      method: 'PUT',
      path: '/',
      headers: { 'content-length': '1000000' },
      body: chunks(),
    })
    const short = send(client, {
      method: 'PUT',
      path: '/',
      headers: { 'content-length': '1000001' },
      body: chunks(),
    })

    expect(chunked.body.toString()).toBe('chunked 1000000')
    expect(sized.body.toString()).toBe('1000000 1000000')
    await expect(short).rejects.toThrow('shorter than announced')
  })

  it('reports a source that fails, and ends one that nobody wants any more', async () => {
    const { client } = await pair(protocol, (request) => void request.resume())
    async function* failing() {
      yield Buffer.from('x')
      throw new Error('the disk is gone')
    }
    let left = false
    async function* endless() {
      try {
        for (;;) {
          yield Buffer.alloc(1000)
          await new Promise((resolve) => setImmediate(resolve))
        }
      } finally {
        left = true
      }
    }

    await expect(send(client, { method: 'PUT', path: '/', headers: {}, body: failing() })).rejects.toThrow(
      'the disk is gone',
    )
    const dispatched = client.dispatch(
      { method: 'PUT', path: '/', headers: {}, body: endless() },
      collector().sink,
    )
    await eventually(() => expect(client.sockets).toBe(1))
    dispatched.abort()
    await eventually(() => expect(left).toBe(true))
  })

  it('lets no number of watches keep a short request out', async () => {
    const { client } = await pair(
      protocol,
      (request, response) => {
        response.writeHead(200)
        if (request.url?.includes('watch')) response.write('{}\n')
        else response.end('short')
      },
      { maxRequests: 2 },
    )
    const watches = Array.from({ length: 10 }, () => collector())
    for (const { sink } of watches) client.dispatch(get('/api/v1/pods?watch=1'), sink)
    await eventually(() => expect(watches.every(({ seen }) => seen.body === '{}\n')).toBe(true))

    expect((await send(client, get())).body.toString()).toBe('short')
  })

  it('refuses more waiting requests than allowed', async () => {
    const { client } = await pair(protocol, () => undefined, { maxRequests: 1, maxQueue: 2 })
    const results = [1, 2, 3, 4].map(() => collector())
    for (const { sink } of results) client.dispatch(get(), sink)

    expect(results.filter(({ seen }) => seen.error).length).toBeGreaterThan(0)
    expect(results[3]?.seen.error?.message).toMatch(/too many requests wait/)
  })

  it('holds back a fast server while the sink is full', async () => {
    const total = 30_000_000
    let written = 0
    const { client } = await pair(protocol, (_, response) => {
      const chunk = Buffer.alloc(100_000, 'x')
      const more = (): void => {
        while (written < total) {
          written += chunk.length
          if (!response.write(chunk)) {
            response.once('drain', more)
            return
          }
        }
        response.end()
      }
      more()
    })
    let received = 0
    let open = false
    let ended = false
    const dispatched = client.dispatch(get(), {
      head: () => undefined,
      data: (chunk) => {
        received += chunk.length
        return open
      },
      end: () => (ended = true),
      fail: (error) => {
        throw error
      },
    })
    await eventually(() => expect(received).toBeGreaterThan(0))
    const stalled = received
    await new Promise((resolve) => setTimeout(resolve, 50))

    expect(received).toBe(stalled)
    expect(written).toBeLessThan(total)
    open = true
    dispatched.resume()
    await eventually(() => expect(ended).toBe(true))
    expect(received).toBe(total)
    expect((await send(client, get())).status).toBe(200)
  })

  it('tells the server of an aborted request, and the sink hears no more', async () => {
    let closed = 0
    const { client } = await pair(protocol, (request, response) => {
      request.on('close', () => closed++)
      response.write('begun')
    })
    const { seen, sink } = collector()
    const dispatched = client.dispatch(get(), sink)
    await eventually(() => expect(seen.body).toBe('begun'))

    dispatched.abort()
    dispatched.abort()
    dispatched.resume()

    await eventually(() => expect(closed).toBe(1))
    expect(seen).toMatchObject({ ended: false, error: undefined })
  })

  it('takes an aborted request out of the queue, and goes on with the next', async () => {
    const paths: (string | undefined)[] = []
    const held: ServerResponse[] = []
    const { client } = await pair(
      protocol,
      (request, response) => {
        paths.push(request.url)
        held.push(response)
      },
      { maxRequests: 1 },
    )
    const first = collector()
    client.dispatch(get('/1'), first.sink)
    const second = client.dispatch(get('/2'), collector().sink)
    const third = collector()
    client.dispatch(get('/3'), third.sink)
    await eventually(() => expect(held).toHaveLength(1))
    second.abort()
    held[0]?.end()
    await eventually(() => expect(held).toHaveLength(2))
    held[1]?.end()

    await eventually(() => expect(third.seen.ended).toBe(true))
    expect(paths).toEqual(['/1', '/3'])
  })

  it('lets nothing of the caller break out of the request', async () => {
    const { client } = await pair(protocol, (_, response) => response.end('ok'))
    const bad: TransportRequest[] = [
      get('/a b'),
      get('/a\r\nx: y'),
      get('relative'),
      { method: 'GET /x', path: '/', headers: {} },
      { method: 'GET', path: '/', headers: { x: 'a\r\nb: c' } },
      { method: 'GET', path: '/', headers: { 'x\r\ny': 'a' } },
      { method: 'GET', path: '/', headers: { x: 'snow ☃' } },
    ]
    for (const request of bad) await expect(send(client, request)).rejects.toThrow(TypeError)
  })

  it('does not let a connection header take away what else is sent', async () => {
    const { client } = await pair(protocol, (request, response) =>
      response.end(request.headers['impersonate-user']),
    )
    const headers = { connection: 'close, impersonate-user', 'impersonate-user': 'alice' }
    expect((await send(client, { ...get(), headers })).body.toString()).toBe('alice')
  })

  it('puts its credentials in place of the caller’s, and hears of refusals', async () => {
    let refused = 0
    let token = 'one'
    const { client } = await pair(
      protocol,
      (request, response) => {
        const good = request.headers.authorization === 'Bearer two'
        response.writeHead(good ? 200 : 401).end(request.headers.authorization)
      },
      {
        credentials: {
          authorization: () => (refused === 0 ? `Bearer ${token}` : Promise.resolve(`Bearer ${token}`)),
          refused: () => {
            refused++
            token = 'two'
          },
        },
      },
    )
    const request = { ...get(), headers: { authorization: 'Bearer stolen' } }

    expect((await send(client, request)).body.toString()).toBe('Bearer one')
    expect(refused).toBe(1)
    expect(await send(client, request)).toMatchObject({ status: 200 })
  })

  it('puts the path of the server’s URL in front', async () => {
    const { server, options } = await pair(protocol, (request, response) => response.end(request.url))
    const client = new HttpTransport({ ...options, server: `${server}/clusters/one/` })
    onCleanup(() => client.close())
    expect((await send(client, get('/version'))).body.toString()).toBe('/clusters/one/version')
  })

  it('fails what is open and what comes later once closed', async () => {
    const { client } = await pair(protocol, (_, response) => void response.write('x'))
    const first = collector()
    client.dispatch(get(), first.sink)
    await eventually(() => expect(first.seen.body).toBe('x'))

    await client.close()

    expect(first.seen.error?.message).toMatch(/closed/)
    await expect(send(client, get())).rejects.toThrow(/closed/)
    await expect(client.upgrade(get())).rejects.toThrow(/closed/)
  })

  it('takes answers that announce a body and have none', async () => {
    const { client } = await pair(protocol, (request, response) => {
      if (request.method === 'HEAD') response.writeHead(200, { 'content-length': '9' }).end()
      else response.writeHead(request.url === '/304' ? 304 : 204).end()
    })
    const head = await send(client, { method: 'HEAD', path: '/', headers: {} })
    expect(head.headers['content-length']).toBe('9')
    expect(head.body.length).toBe(0)
    expect(await send(client, get('/304'))).toMatchObject({ status: 304 })
    expect(await send(client, get('/204'))).toMatchObject({ status: 204 })
  })

  it('closes a connection that nobody uses', async () => {
    const { client } = await pair(protocol, (_, response) => response.end('ok'), { idleTimeoutMs: 1 })
    await send(client, get())
    await eventually(() => expect(client.sockets).toBe(0))
    expect((await send(client, get())).body.toString()).toBe('ok')
  })

  it('tells each request that waits that the server cannot be reached', async () => {
    const { client, close } = await pair(protocol, (_, response) => response.end('ok'))
    await close()
    const asked = await Promise.allSettled([1, 2, 3].map(() => send(client, get())))
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  })
})
