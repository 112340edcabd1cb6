import { type ServerHttp2Stream } from 'node:http2'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../testing/eventually.js'
import { framePair, type FramePeer, streamPair } from '../testing/http2peers.js'
import { closePairs, collector, get, pair, type Handle } from '../testing/httppair.js'
import { send } from '../transport.js'
import { Code, Flag, Setting, Type } from './frames.js'

const PROTOCOL = 'HTTP/2'

afterEach(closePairs)

const echo: Handle = (request, response) => response.end(request.url)

describe('the client over HTTP/2 only', () => {
  it('sends many requests on one connection', async () => {
    const { client, sockets } = await pair(PROTOCOL, echo)
    // From then on it is known how many the server takes.
    await send(client, get())

    const answers = await Promise.all(Array.from({ length: 90 }, (_, i) => send(client, get(`/${i}`))))

    expect(answers.map(({ body }) => body.toString())).toEqual(Array.from({ length: 90 }, (_, i) => `/${i}`))
    expect(sockets()).toBe(1)
  })

  it('opens another connection where the server takes no more streams on one', async () => {
    const held: ServerHttp2Stream[] = []
    const { client, sessions } = await streamPair(
      (stream, path) => {
        stream.respond({ ':status': 200 })
        if (path === '/first') stream.end()
        else held.push(stream)
      },
      { maxConcurrentStreams: 3 },
    )
    await send(client, get('/first'))
    const pending = Array.from({ length: 7 }, () => send(client, get()))
    await eventually(() => expect(held).toHaveLength(7))
    expect(sessions()).toBe(3)
    for (const stream of held) stream.end('x')
    expect((await Promise.all(pending)).map(({ body }) => body.toString())).toEqual(Array(7).fill('x'))
  })

  it('goes on with others while the reader of one answer is slow', async () => {
    const { client } = await pair(PROTOCOL, (request, response) => {
      if (request.url === '/large') response.end(Buffer.alloc(8_000_000, 'x'))
      else response.end('small')
    })
    let received = 0
    let open = false
    let ended = false
    const large = client.dispatch(get('/large'), {
      head: () => undefined,
      data(chunk) {
        received += chunk.length
        return open
      },
      end: () => (ended = true),
      fail: (error) => {
        throw error
      },
    })
    await eventually(() => expect(received).toBeGreaterThan(0))

    for (let i = 0; i < 20; i++) expect((await send(client, get('/small'))).body.toString()).toBe('small')
    expect(received).toBeLessThan(1_000_000)
    open = true
    large.resume()
    await eventually(() => expect(ended).toBe(true))
    expect(received).toBe(8_000_000)
  })

  it.each([true, false])('hands over every byte, to a sink that borrows pieces: %s', async (borrows) => {
    const whole = Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, i) => i % 251))
    const { client } = await pair(PROTOCOL, (_, response) => response.end(whole))
    const read = (slow: boolean): Promise<Buffer> =>
      new Promise((resolve, reject) => {
        const pieces: Uint8Array[] = []
        const dispatched = client.dispatch(get(), {
          borrows,
          head: () => undefined,
          data(piece, isLent) {
            expect(borrows || isLent !== true).toBe(true)
            pieces.push(isLent ? Buffer.from(piece) : piece)
            if (slow) setImmediate(() => dispatched.resume())
            return !slow
          },
          end: () => resolve(Buffer.concat(pieces)),
          fail: reject,
        })
      })
    const answers = await Promise.all([read(true), read(false), read(true)])
    expect(answers.map((answer) => answer.equals(whole))).toEqual([true, true, true])
  })

  it('reads frames and headers however they are cut', async () => {
    const { client } = await framePair((peer, stream) => {
      const block = peer.block([
        [':status', '200'],
        ['x-long', 'y'.repeat(300)],
      ])
      peer.frame(Type.headers, 0, stream, block.subarray(0, 10))
      peer.frame(Type.continuation, 0, stream, block.subarray(10, 11))
      peer.frame(Type.continuation, Flag.endHeaders, stream, block.subarray(11))
      peer.frame(Type.data, 0, stream, Buffer.from('a'))
      peer.frame(Type.data, Flag.padded, stream, Buffer.from('\x03b...'))
      peer.frame(0xfe, 0, stream, Buffer.from('of a kind nobody knows'))
      peer.frame(Type.data, 0, stream, Buffer.from('c'))
      peer.frame(Type.data, 0, stream)
      peer.frame(Type.headers, Flag.endHeaders | Flag.endStream, stream, peer.block([['x-trailer', '1']]))
    })

    const { headers, body } = await send(client, get())

    expect(headers['x-long']).toBe('y'.repeat(300))
    expect(body.toString()).toBe('abc')
  })

  it('ends an answer as soon as all that was announced is there', async () => {
    const streams: [FramePeer, number][] = []
    const { client } = await framePair((peer, stream) => {
      const head = peer.block([
        [':status', '200'],
        ['content-length', '2'],
      ])
      peer.frame(Type.headers, Flag.endHeaders, stream, head)
      peer.frame(Type.data, 0, stream, Buffer.from('ok'))
      streams.push([peer, stream])
    })
    expect((await send(client, get())).body.toString()).toBe('ok')
    for (const [peer, stream] of streams) peer.frame(Type.data, Flag.endStream, stream)
    expect((await send(client, get())).body.toString()).toBe('ok')
  })

  it('skips interim answers', async () => {
    const { client } = await framePair((peer, stream) => {
      peer.frame(Type.headers, Flag.endHeaders, stream, peer.block([[':status', '103']]))
      peer.answer(stream)
    })
    expect(await send(client, get())).toMatchObject({ status: 200 })
  })

  it('sends again what the server has not looked at, on a new connection', async () => {
    const { client, connections } = await framePair((peer, stream, path) => {
      if (peer.connection === 1) peer.goaway(0)
      else peer.answer(stream, path)
    })
    expect((await send(client, get('/again'))).body.toString()).toBe('/again')
    const posted = { method: 'POST', path: '/posted', headers: {}, body: Buffer.from('{}') }
    expect((await send(client, posted)).body.toString()).toBe('/posted')
    expect(connections()).toBe(2)
  })

  it('lets what is under way end on a connection that the server closes', async () => {
    const streams: number[] = []
    let first: FramePeer | undefined
    const { client, connections } = await framePair((peer, stream, path) => {
      if (path === '/next') return peer.answer(stream)
      first = peer
      streams.push(stream)
    })
    const pending = send(client, get())
    await eventually(() => expect(streams).toHaveLength(1))
    first?.goaway(streams[0] as number)
    expect((await send(client, get('/next'))).status).toBe(200)
    first?.answer(streams[0] as number, 'late')

    expect((await pending).body.toString()).toBe('late')
    expect(connections()).toBe(2)
    await eventually(() => expect(client.sockets).toBe(1))
  })

  it('sends a refused request again, but not for ever', async () => {
    let asked = 0
    const { client } = await framePair((peer, stream, path) => {
      asked++
      if (path === '/never' || asked < 3) {
        peer.frame(Type.reset, 0, stream, Buffer.from([0, 0, 0, Code.refusedStream]))
      } else peer.answer(stream)
    })
    expect(await send(client, get('/third'))).toMatchObject({ status: 200 })
    expect(asked).toBe(3)
    await expect(send(client, get('/never'))).rejects.toThrow('broke the request off')
    expect(asked).toBeLessThan(12)
  })

  it('repeats a GET that met a connection which had served and was closed, but not a POST', async () => {
    const { client, connections } = await framePair((peer, stream, path) => {
      if (path === '/fatal' && peer.connection === 1) peer.destroy()
      else if (path === '/posted') peer.destroy()
      else peer.answer(stream)
    })
    await send(client, get('/first'))
    expect(await send(client, get('/fatal'))).toMatchObject({ status: 200 })
    expect(connections()).toBe(2)
    await expect(send(client, { method: 'POST', path: '/posted', headers: {} })).rejects.toThrow()
  })

  it('fails one request, not the others, when its answer is cut, too long or never comes', async () => {
    let waiting: FramePeer | undefined
    let open = 0
    const { client, connections } = await framePair(
      (peer, stream, path) => {
        const length = ['content-length', '4'] as const
        if (path === '/short') peer.answer(stream, 'abc', [length])
        else if (path === '/long') peer.answer(stream, 'abcde', [length])
        else if (path === '/reset') peer.frame(Type.reset, 0, stream, Buffer.from([0, 0, 0, Code.cancel]))
        else if (path === '/stray') peer.answer(stream, '', [['x', 'a\nb']])
        else if (path === '/slow') {
          peer.frame(Type.headers, Flag.endHeaders, stream, peer.block([[':status', '200']]))
          waiting = peer
          open = stream
        }
      },
      { answerTimeoutMs: 300 },
    )
    const slow = send(client, get('/slow'))

    await expect(send(client, get('/short'))).rejects.toThrow('broke off')
    await expect(send(client, get('/long'))).rejects.toThrow('more than its answer')
    await expect(send(client, get('/reset'))).rejects.toThrow('broke the request off')
    await expect(send(client, get('/stray'))).rejects.toThrow('control character')
    await expect(send(client, get('/silent'))).rejects.toThrow('no answer within 300 ms')
    waiting?.frame(Type.data, Flag.endStream, open, Buffer.from('still there'))

    expect((await slow).body.toString()).toBe('still there')
    expect(connections()).toBe(1)
  })

  it('loses no event of a busy watch, which is read with rests, on a connection of its own', async () => {
    const events = 2_000
    const { client, connections } = await framePair((peer, stream, path) => {
      if (!path.includes('watch')) return peer.answer(stream)
      peer.frame(Type.headers, Flag.endHeaders, stream, peer.block([[':status', '200']]))
      let sent = 0
      const more = (): void => {
        for (let i = 0; i < 20; i++) {
          const isLast = ++sent === events
          peer.frame(Type.data, isLast ? Flag.endStream : 0, stream, Buffer.from(`${sent}\n`))
          if (isLast) return
        }
        setImmediate(more)
      }
      more()
    })
    let pieces = 0
    let text = ''
    const whole = new Promise<void>((resolve, reject) => {
      client.dispatch(get('/pods?watch=true'), {
        head: () => undefined,
        data(chunk) {
          pieces++
          text += Buffer.from(chunk).toString()
          return true
        },
        end: resolve,
        fail: reject,
      })
    })
    await send(client, get('/pods'))
    await whole

    expect(text).toBe(Array.from({ length: events }, (_, i) => `${i + 1}\n`).join(''))
    expect(pieces).toBeLessThan(events)
    expect(connections()).toBe(2)
  })

  it('fails the request of a sink that throws, and of a server that heeds no window', async () => {
    const { client, connections } = await framePair((peer, stream, path) => {
      if (path !== '/flood') return peer.answer(stream)
      peer.frame(Type.headers, Flag.endHeaders, stream, peer.block([[':status', '200']]))
      for (let i = 0; i < 40; i++) peer.frame(Type.data, 0, stream, Buffer.alloc(16_000))
    })
    const thrown = collector()
    const fault = (): never => {
      throw new Error('a fault of its own')
    }
    client.dispatch(get('/head'), { ...thrown.sink, head: fault })
    await eventually(() => expect(thrown.seen.error?.message).toBe('a fault of its own'))
    const slow = collector(() => false)
    client.dispatch(get('/flood'), slow.sink)
    await eventually(() => expect(slow.seen.error?.message).toBe('the server sent more than it may'))

    expect(await send(client, get())).toMatchObject({ status: 200 })
    expect(connections()).toBe(1)
  })

  it.each<[string, (peer: FramePeer, stream: number) => void]>([
    ['a frame too large', (peer) => peer.frame(Type.headers, 0, 1, Buffer.alloc(70_000))],
    ['a push', (peer) => peer.frame(Type.push, Flag.endHeaders, 1, Buffer.alloc(8))],
    [
      'headers that cannot be decoded',
      (peer) => peer.frame(Type.headers, Flag.endHeaders, 1, Buffer.from([0xff])),
    ],
    [
      'something between headers and their continuation',
      (peer, stream) => {
        peer.frame(Type.headers, 0, stream, peer.block([[':status', '200']]))
        peer.frame(Type.data, 0, stream, Buffer.from('x'))
        peer.frame(Type.ping, 0, 0, Buffer.alloc(8))
      },
    ],
    [
      'headers without end',
      (peer, stream) => {
        peer.frame(Type.headers, 0, stream)
        for (let i = 0; i < 200; i++) peer.frame(Type.continuation, 0, stream)
      },
    ],
    ['settings that cannot be', (peer) => peer.frame(Type.settings, 0, 0, Buffer.alloc(5))],
    [
      'a window too wide',
      (peer) => peer.frame(Type.windowUpdate, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff])),
    ],
    ['a frame cut short', (peer) => peer.frame(Type.goaway, 0, 0, Buffer.alloc(3))],
    [
      'more padding than frame',
      (peer, stream) => peer.frame(Type.data, Flag.padded, stream, Buffer.from([9, 1])),
    ],
  ])('gives up the connection over %s', async (_, misbehave) => {
    const { client } = await framePair(misbehave)
    await expect(send(client, get())).rejects.toThrow()
    expect(client.sockets).toBe(0)
  })

  it('tells the server when it aborts, and answers its pings', async () => {
    const frames: [number, number][] = []
    let begun = false
    const { client } = await framePair(
      (peer, stream) => {
        peer.frame(Type.headers, Flag.endHeaders, stream, peer.block([[':status', '200']]))
        peer.frame(Type.ping, 0, 0, Buffer.from('12345678'))
        begun = true
      },
      {},
      (type, stream, payload) => frames.push([type, type === Type.reset ? payload.readUInt32BE(0) : stream]),
    )
    const dispatched = client.dispatch(get('/watch/'), collector().sink)
    await eventually(() => expect(begun).toBe(true))
    dispatched.abort()

    await eventually(() => expect(frames).toContainEqual([Type.reset, Code.cancel]))
    expect(frames.filter(([type]) => type === Type.ping)).toHaveLength(1)
    expect(client.sockets).toBe(1)
  })

  it('sends a body no faster than the windows of the server let it', async () => {
    let written = 0
    const waiting: ServerHttp2Stream[] = []
    const { client } = await streamPair(
      (stream) => {
        stream.pause()
        waiting.push(stream)
        stream.on('data', (chunk: Buffer) => (written += chunk.length))
        stream.on('end', () => {
          stream.respond({ ':status': 200 })
          stream.end(String(written))
        })
        stream.pause()
      },
      { initialWindowSize: 20_000 },
    )
    let pulled = 0
    async function* chunks() {
      for (let i = 0; i < 100; i++) {
        pulled++
        yield Buffer.alloc(50_000)
      }
    }
    const streamed = send(client, { method: 'PUT', path: '/', headers: {}, body: chunks() })
    await eventually(() => expect(waiting).toHaveLength(1))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(pulled).toBeLessThan(50)
    waiting[0]?.resume()
    expect((await streamed).body.toString()).toBe('5000000')

    const whole = send(client, { method: 'PUT', path: '/', headers: {}, body: Buffer.alloc(300_000) })
    await eventually(() => expect(waiting).toHaveLength(2))
    waiting[1]?.resume()
    expect((await whole).body.toString()).toBe('5300000')
  })

  it('heeds a limit of streams that the server lowers while it is full', async () => {
    const settings = (limit: number): Buffer => Buffer.from([0, Setting.maxConcurrentStreams, 0, 0, 0, limit])
    const open: [FramePeer, number][] = []
    const { client, connections } = await framePair((peer, stream) => {
      if (open.length === 0) peer.frame(Type.settings, 0, 0, settings(1))
      open.push([peer, stream])
    })
    const both = [send(client, get('/1')), send(client, get('/2'))]
    await eventually(() => expect(open).toHaveLength(2))
    for (const [peer, stream] of open.splice(0)) peer.answer(stream)
    await Promise.all(both)

    const third = send(client, get('/3'))
    await eventually(() => expect(open).toHaveLength(1))
    for (const [peer, stream] of open) peer.answer(stream)
    expect(await third).toMatchObject({ status: 200 })
    expect(connections()).toBe(1)
  })

  it('uses a new connection after a refusal where it proved itself by a certificate', async () => {
    const { client, sockets } = await pair(
      PROTOCOL,
      (request, response) => response.writeHead(request.url === '/refused' ? 401 : 200).end(),
      {
        credentials: {
          authorization: () => undefined,
          refused: () => undefined,
          certificate: () => Promise.resolve(undefined),
        },
      },
    )
    await send(client, get())
    await send(client, get('/refused'))
    await send(client, get())
    expect(sockets()).toBe(2)
  })
})
