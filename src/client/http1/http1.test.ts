import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import {
  createServer as createRawServer,
  type AddressInfo,
  type Server as RawServer,
  type Socket,
} from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../testing/eventually.js'
import { send, type ResponseSink, type TransportRequest } from '../transport.js'
import { Http1Transport, type Http1Options } from './index.js'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function listen(server: Server | RawServer): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    if ('closeAllConnections' in server) server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A node:http server and a client of it. */
async function pair(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  more: Partial<Http1Options> = {},
) {
  const http = createServer(handle)
  let sockets = 0
  http.on('connection', () => sockets++)
  const server = await listen(http)
  const client = new Http1Transport({ server, ...more })
  cleanups.push(() => client.close())
  return { client, http, server, sockets: () => sockets }
}

/** A server that answers each piece of input with what `answer` says, and a client of it. */
async function rawPair(
  answer: (input: string, socket: Socket, connection: number) => void,
  more: Partial<Http1Options> = {},
) {
  let connections = 0
  const raw = createRawServer((socket) => {
    const connection = ++connections
    socket.on('error', () => undefined)
    socket.on('data', (data) => answer(data.toString('latin1'), socket, connection))
    cleanups.push(() => socket.destroy())
  })
  const client = new Http1Transport({ server: await listen(raw), ...more })
  cleanups.push(() => client.close())
  return { client, connections: () => connections }
}

const get = (path = '/'): TransportRequest => ({ method: 'GET', path, headers: {} })

/** Collects an answer and lets the test steer. */
function collector(accept: () => boolean = () => true) {
  const seen = { status: 0, body: '', ended: false, error: undefined as Error | undefined }
  const sink: ResponseSink = {
    head: (status) => (seen.status = status),
    data: (chunk) => {
      seen.body += Buffer.from(chunk).toString()
      return accept()
    },
    end: () => (seen.ended = true),
    fail: (error) => (seen.error = error),
  }
  return { seen, sink }
}

describe('the HTTP/1.1 client', () => {
  it('sends method, path, headers and body, and gives back the answer', async () => {
    const { client } = await pair((request, response) => {
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

  it('frames a DELETE with and without a body', async () => {
    const { client } = await rawPair((input, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${input.length}\r\n\r\n${input}`)
    })

    const bare = await send(client, { method: 'DELETE', path: '/x', headers: {} })
    const options = await send(client, { method: 'DELETE', path: '/x', headers: {}, body: Buffer.from('{}') })

    expect(bare.body.toString()).toMatch(/\r\ncontent-length: 0\r\n\r\n$/)
    expect(options.body.toString()).toMatch(/\r\ncontent-length: 2\r\n\r\n\{\}$/)
  })

  it('streams a body in chunks, or with the length that was announced', async () => {
    const { client } = await pair((request, response) => {
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
    const { client } = await pair((request) => void request.resume())
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

  it('uses one connection for requests one after another, the latest first', async () => {
    const { client, sockets } = await pair((_, response) => response.end('ok'))

    for (let i = 0; i < 20; i++) await send(client, get())
    expect(sockets()).toBe(1)
    await Promise.all(Array.from({ length: 5 }, () => send(client, get())))
    const many = sockets()
    for (let i = 0; i < 20; i++) await send(client, get())

    expect(many).toBeLessThanOrEqual(6)
    expect(sockets()).toBe(many)
  })

  it('never has two requests on one connection, and no more connections than allowed', async () => {
    let most = 0
    let now = 0
    const perSocket = new Map<Socket, number>()
    const { client, sockets } = await pair(
      (request, response) => {
        most = Math.max(most, ++now)
        const own = (perSocket.get(request.socket) ?? 0) + 1
        perSocket.set(request.socket, own)
        if (own > 1) throw new Error('pipelined')
        setTimeout(() => {
          now--
          perSocket.set(request.socket, 0)
          response.end(request.url)
        }, 2)
      },
      { maxSockets: 4 },
    )

    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => send(client, get(`/${i}`))))

    expect(answers.map(({ body }) => body.toString())).toEqual(Array.from({ length: 60 }, (_, i) => `/${i}`))
    expect(most).toBe(4)
    expect(sockets()).toBe(4)
  })

  it('lets no number of watches keep a short request out', async () => {
    const { client } = await pair(
      (request, response) => {
        response.writeHead(200)
        if (request.url?.includes('watch')) response.write('{}\n')
        else response.end('short')
      },
      { maxSockets: 2 },
    )
    const watches = Array.from({ length: 10 }, () => collector())
    for (const { sink } of watches) client.dispatch(get('/api/v1/pods?watch=1'), sink)
    await eventually(() => expect(watches.every(({ seen }) => seen.body === '{}\n')).toBe(true))

    expect((await send(client, get())).body.toString()).toBe('short')
  })

  it('refuses more waiting requests than allowed', async () => {
    const { client } = await pair(() => undefined, { maxSockets: 1, maxQueue: 2 })
    const results = [1, 2, 3, 4].map(() => collector())
    for (const { sink } of results) client.dispatch(get(), sink)

    expect(results.filter(({ seen }) => seen.error).length).toBeGreaterThan(0)
    expect(results[3]?.seen.error?.message).toMatch(/too many requests wait/)
  })

  it('holds back a fast server while the sink is full', async () => {
    const total = 30_000_000
    let written = 0
    const { client } = await pair((_, response) => {
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

  it('frees the connection of an aborted request, and the sink hears no more', async () => {
    let closed = 0
    const { client } = await pair((request, response) => {
      request.socket.on('close', () => closed++)
      response.write('begun')
    })
    const { seen, sink } = collector()
    const dispatched = client.dispatch(get(), sink)
    await eventually(() => expect(seen.body).toBe('begun'))

    dispatched.abort()
    dispatched.abort()
    dispatched.resume()

    await eventually(() => expect(closed).toBe(1))
    expect(client.sockets).toBe(0)
    expect(seen).toMatchObject({ ended: false, error: undefined })
  })

  it('takes an aborted request out of the queue, and goes on with the next', async () => {
    const paths: (string | undefined)[] = []
    const held: ServerResponse[] = []
    const { client } = await pair(
      (request, response) => {
        paths.push(request.url)
        held.push(response)
      },
      { maxSockets: 1 },
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

  it('repeats a GET that met a connection closed while idle, but not a POST', async () => {
    const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
    const { client, connections } = await rawPair((input, socket, connection) => {
      // The odd connections answer once and then close instead of answering.
      if (connection % 2 === 1 && socket.bytesWritten > 0) socket.destroy()
      else socket.write(answer)
    })

    await send(client, get())
    expect((await send(client, get())).body.toString()).toBe('ok')
    expect(connections()).toBe(2)

    const other = await rawPair((_, socket) => {
      if (socket.bytesWritten > 0) socket.destroy()
      else socket.write(answer)
    })
    await send(other.client, get())
    await expect(send(other.client, { method: 'POST', path: '/', headers: {} })).rejects.toThrow(
      /closed|ECONNRESET/,
    )
    expect(other.connections()).toBe(1)
  })

  it('does not repeat a request whose answer had begun, nor one on a new connection', async () => {
    const { client, connections } = await rawPair((_, socket) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal'),
    )
    await expect(send(client, get())).rejects.toThrow('broke off')
    expect(connections()).toBe(1)

    const dead = await rawPair((_, socket) => socket.destroy())
    await expect(send(dead.client, get())).rejects.toThrow(/closed|ECONNRESET/)
    expect(dead.connections()).toBe(1)
  })

  it('closes idle connections, by its own limit and by the one the server names', async () => {
    const { client } = await rawPair(
      (_, socket) => socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=2\r\ncontent-length: 0\r\n\r\n'),
      { idleTimeoutMs: 60_000 },
    )
    await send(client, get())
    expect(client.sockets).toBe(1)
    await eventually(() => expect(client.sockets).toBe(0))
  })

  it('drops a connection on which the server speaks unasked', async () => {
    const { client, connections } = await rawPair((_, socket) =>
      socket.write(
        'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil',
      ),
    )
    expect((await send(client, get())).body.toString()).toBe('ok')
    expect((await send(client, get())).body.toString()).toBe('ok')
    expect(connections()).toBe(2)
  })

  it('gives up on a server that does not answer, refuses the connection or changes the protocol', async () => {
    const silent = await rawPair(() => undefined, { answerTimeoutMs: 300 })
    await expect(send(silent.client, get())).rejects.toThrow('no answer within 300 ms')

    const gone = createRawServer()
    const server = await listen(gone)
    gone.close()
    const nobody = new Http1Transport({ server })
    await expect(send(nobody, get())).rejects.toThrow('ECONNREFUSED')
    await expect(nobody.upgrade(get())).rejects.toThrow('ECONNREFUSED')

    const eager = await rawPair((_, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'))
    await expect(send(eager.client, get())).rejects.toThrow('unasked')
  })

  it.each([
    '',
    'garbage\r\n\r\n',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ',
  ])('fails on a server that sends %j and closes', async (bytes) => {
    const { client } = await rawPair((_, socket) => socket.end(bytes))
    await expect(send(client, get())).rejects.toThrow()
    expect(client.sockets).toBe(0)
  })

  it('lets nothing of the caller break out of the request', async () => {
    const { client } = await pair((_, response) => response.end('ok'))
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
    const { client } = await pair((request, response) => response.end(request.headers['impersonate-user']))
    const headers = { connection: 'close, impersonate-user', 'impersonate-user': 'alice' }
    expect((await send(client, { ...get(), headers })).body.toString()).toBe('alice')
  })

  it('puts its credentials in place of the caller’s, and hears of refusals', async () => {
    let refused = 0
    let token = 'one'
    const { client } = await pair(
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
    const { server } = await pair((request, response) => response.end(request.url))
    const client = new Http1Transport({ server: `${server}/clusters/one/` })
    cleanups.push(() => client.close())
    expect((await send(client, get('/version'))).body.toString()).toBe('/clusters/one/version')
  })

  it('fails what is open and what comes later once closed', async () => {
    const { client } = await pair((_, response) => void response.write('x'))
    const first = collector()
    client.dispatch(get(), first.sink)
    await eventually(() => expect(first.seen.body).toBe('x'))

    await client.close()

    expect(first.seen.error?.message).toMatch(/closed/)
    await expect(send(client, get())).rejects.toThrow(/closed/)
    await expect(client.upgrade(get())).rejects.toThrow(/closed/)
  })
})

describe('changing the protocol', () => {
  it('hands over the socket with the bytes that came along', async () => {
    const { client, http } = await pair(() => undefined)
    http.on('upgrade', (request, socket: Socket) => {
      const { upgrade, connection } = request.headers
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${upgrade}\r\nConnection: ${connection}\r\n\r\nhello `,
      )
      socket.on('data', (data) => socket.write(data.toString().toUpperCase()))
      cleanups.push(() => socket.destroy())
    })

    const { status, headers, socket } = await client.upgrade({
      ...get('/exec'),
      headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1' },
    })

    expect(status).toBe(101)
    expect(headers.upgrade).toBe('SPDY/3.1')
    let text = ''
    socket?.on('data', (data: Buffer) => (text += data.toString()))
    socket?.write('world')
    await eventually(() => expect(text).toBe('hello WORLD'))
    socket?.destroy()
  })

  it('gives back a refusal with its body', async () => {
    const { client, http } = await pair(() => undefined)
    http.on('upgrade', (_, socket: Socket) =>
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'),
    )

    const answer = await client.upgrade({ ...get(), headers: { upgrade: 'websocket' } })

    expect(answer).toMatchObject({ status: 403 })
    expect(Buffer.from(answer.body ?? []).toString()).toBe('no')
    expect(answer.socket).toBeUndefined()
  })

  it('ends on abort and on a broken answer', async () => {
    const { client, http } = await pair(() => undefined)
    let closed = false
    http.on('upgrade', (_, socket: Socket) => socket.on('end', () => (closed = true)).resume())
    const pending = client.upgrade({ ...get(), headers: { upgrade: 'x' } }, AbortSignal.timeout(50))
    await expect(pending).rejects.toThrow(/timeout/i)
    await eventually(() => expect(closed).toBe(true))

    const broken = await rawPair((_, socket) => socket.end('HTTP/1.1 101'))
    await expect(broken.client.upgrade({ ...get(), headers: { upgrade: 'x' } })).rejects.toThrow('broke off')
  })
})
