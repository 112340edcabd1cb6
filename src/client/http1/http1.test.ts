import { createServer } from 'node:http'
import { createServer as createRawServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { HttpTransport, type HttpOptions } from '../http/index.js'
import { eventually } from '../testing/eventually.js'
import { closePairs, collector, get, listen, onCleanup, pair } from '../testing/httppair.js'
import { send } from '../transport.js'

const PROTOCOL = 'HTTP/1.1'

afterEach(closePairs)

/** A server that answers each piece of input with what `answer` says, and a client of it. */
async function rawPair(
  answer: (input: string, socket: Socket, connection: number) => void,
  more: Partial<HttpOptions> = {},
) {
  let connections = 0
  const raw = createRawServer((socket) => {
    const connection = ++connections
    socket.on('error', () => undefined)
    socket.on('data', (data) => answer(data.toString('latin1'), socket, connection))
    onCleanup(() => socket.destroy())
  })
  const client = new HttpTransport({ server: `http://127.0.0.1:${await listen(raw)}`, ...more })
  onCleanup(() => client.close())
  return { client, connections: () => connections }
}

/** A server that is asked to change the protocol, and a client of it. */
async function upgradePair() {
  const http = createServer()
  const client = new HttpTransport({ server: `http://127.0.0.1:${await listen(http)}` })
  onCleanup(() => client.close())
  return { client, http }
}

describe('the client over HTTP/1.1 only', () => {
  it('frames a DELETE with and without a body', async () => {
    const { client } = await rawPair((input, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${input.length}\r\n\r\n${input}`)
    })

    const bare = await send(client, { method: 'DELETE', path: '/x', headers: {} })
    const options = await send(client, { method: 'DELETE', path: '/x', headers: {}, body: Buffer.from('{}') })

    expect(bare.body.toString()).toMatch(/\r\ncontent-length: 0\r\n\r\n$/)
    expect(options.body.toString()).toMatch(/\r\ncontent-length: 2\r\n\r\n\{\}$/)
  })

  it('uses one connection for requests one after another, the latest first', async () => {
    const { client, sockets } = await pair(PROTOCOL, (_, response) => response.end('ok'))

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
      PROTOCOL,
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
      { maxRequests: 4 },
    )

    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => send(client, get(`/${i}`))))

    expect(answers.map(({ body }) => body.toString())).toEqual(Array.from({ length: 60 }, (_, i) => `/${i}`))
    expect(most).toBe(4)
    expect(sockets()).toBe(4)
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
    const server = `http://127.0.0.1:${await listen(gone)}`
    gone.close()
    const nobody = new HttpTransport({ server })
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

  it('frees the connection of an aborted request', async () => {
    const { client } = await pair(PROTOCOL, (_, response) => void response.write('begun'))
    const { seen, sink } = collector()
    const dispatched = client.dispatch(get(), sink)
    await eventually(() => expect(seen.body).toBe('begun'))

    dispatched.abort()

    await eventually(() => expect(client.sockets).toBe(0))
  })
})

describe('changing the protocol', () => {
  it('hands over the socket with the bytes that came along', async () => {
    const { client, http } = await upgradePair()
    http.on('upgrade', (request, socket: Socket) => {
      const { upgrade, connection } = request.headers
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${upgrade}\r\nConnection: ${connection}\r\n\r\nhello `,
      )
      socket.on('data', (data) => socket.write(data.toString().toUpperCase()))
      onCleanup(() => socket.destroy())
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
    const { client, http } = await upgradePair()
    http.on('upgrade', (_, socket: Socket) =>
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'),
    )

    const answer = await client.upgrade({ ...get(), headers: { upgrade: 'websocket' } })

    expect(answer).toMatchObject({ status: 403 })
    expect(Buffer.from(answer.body ?? []).toString()).toBe('no')
    expect(answer.socket).toBeUndefined()
  })

  it('ends on abort and on a broken answer', async () => {
    const { client, http } = await upgradePair()
    let closed = false
    http.on('upgrade', (_, socket: Socket) => socket.on('end', () => (closed = true)).resume())
    const pending = client.upgrade({ ...get(), headers: { upgrade: 'x' } }, AbortSignal.timeout(50))
    await expect(pending).rejects.toThrow(/timeout/i)
    await eventually(() => expect(closed).toBe(true))

    const broken = await rawPair((_, socket) => socket.end('HTTP/1.1 101'))
    await expect(broken.client.upgrade({ ...get(), headers: { upgrade: 'x' } })).rejects.toThrow('broke off')
  })
})
