/** Sockets and clients that misbehave, and an orderly end. */
import https from 'node:https'
import net from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { selfSignedAuthority } from '../../src/certificates/index.js'
import { type ApiGroup, route } from '../../src/serving/route.js'
import { createServer, PortError } from '../../src/serving/server.js'
import { SILENT } from '../../src/serving/log.js'
import { type Harness, start } from './harness.js'

const ROOT = '/kapis/test.kubesphere.io/v1'

async function eventually(check: () => void): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return check()
    } catch (error) {
      if (tries > 300) throw error
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

/** A route that waits until it is told, and notes when its signal aborts. */
function slow() {
  const state = { waiting: 0, aborted: 0, release: (): void => undefined }
  const group: ApiGroup = {
    root: ROOT,
    title: 'Slow',
    errors: 'text',
    routes: [
      route({
        method: 'GET',
        path: '/slow',
        summary: 'Wait.',
        access: 'authorized',
        handle: ({ signal }) =>
          new Promise((resolve, reject) => {
            state.waiting++
            state.release = () => resolve('done')
            signal.addEventListener('abort', () => {
              state.aborted++
              reject(signal.reason as Error)
            })
          }),
      }),
    ],
  }
  return { state, group }
}

describe('the server', () => {
  let platform: Harness
  afterEach(() => platform.close())

  it('answers 431 to a flood of headers', async () => {
    platform = await start({ limits: { headerBytes: 8192 } })
    const text = await platform.raw(
      `GET /healthz HTTP/1.1\r\nHost: x\r\n${'X-A: bcdefgh\r\n'.repeat(2000)}\r\n`,
    )
    expect(text).toMatch(/^HTTP\/1\.1 431 /)
  })

  it('answers 408 to headers that do not end', async () => {
    platform = await start({ limits: { headersTimeoutMs: 150 } })
    const text = await platform.raw('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ')
    expect(text).toMatch(/^HTTP\/1\.1 408 /)
  })

  it.each([
    ['no HTTP', 'hello\r\n\r\n'],
    ['two lengths', 'POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na'],
    [
      'a length and chunks',
      'POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['an unknown method', 'FROBNICATE / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a space in a header name', 'GET / HTTP/1.1\r\nHost: x\r\nX Y: z\r\n\r\n'],
    ['no host', 'GET /healthz HTTP/1.1\r\n\r\n'],
  ])('answers 400 to %s', async (_what, text) => {
    platform = await start()
    expect(await platform.raw(text)).toMatch(/^HTTP\/1\.1 400 /)
  })

  it.each(['/%ff', '/a%00b', '/%zz'])('answers 400 to the path %s', async (path) => {
    platform = await start()
    const answer = await platform.send('GET', path, { user: 'admin' })
    expect(answer.status).toBe(400)
    expect(answer.json()).toMatchObject({ kind: 'Status', reason: 'BadRequest' })
  })

  it('frees the work of a client that has closed its half of the connection', async () => {
    const { state, group } = slow()
    platform = await start({ groups: [group] })
    const socket = net.connect(platform.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(`GET ${ROOT}/slow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n\r\n`)
    await eventually(() => expect(state.waiting).toBe(1))

    socket.end()

    await eventually(() => expect(state.aborted).toBe(1))
    await eventually(() => expect(socket.destroyed).toBe(true))
  })

  it('asks for a body only when somebody reads it', async () => {
    platform = await start({ groups: [slow().group] })
    const socket = net.connect(platform.port, '127.0.0.1')
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.write(
      'POST /kapis/x/v1/things HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n',
    )
    await eventually(() => expect(text).toMatch(/ 403 /))
    expect(text).not.toContain('100 Continue')
    socket.destroy()
  })

  it('closes connections beyond the most it takes', async () => {
    platform = await start({ limits: { connections: 1 } })
    const first = net.connect(platform.port, '127.0.0.1')
    await new Promise((resolve) => first.once('connect', resolve))
    expect(await platform.raw('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')).toBe('')
    first.destroy()
  })

  it('finishes what has begun at shutdown, and takes nothing new', async () => {
    const { state, group } = slow()
    platform = await start({ groups: [group] })
    const answer = platform.send('GET', `${ROOT}/slow`, { user: 'admin' })
    await eventually(() => expect(state.waiting).toBe(1))

    const closed = platform.server.close(5000)
    await expect(platform.send('GET', '/healthz')).rejects.toThrow('ECONNREFUSED')
    state.release()

    expect(await answer).toMatchObject({ status: 200, text: '"done"' })
    await closed
  })

  it('breaks off at the end of the grace period, and aborts the work', async () => {
    const { state, group } = slow()
    platform = await start({ groups: [group] })
    const answer = platform.send('GET', `${ROOT}/slow`, { user: 'admin' })
    answer.catch(() => undefined)
    await eventually(() => expect(state.waiting).toBe(1))

    await platform.server.close(50)

    await expect(answer).rejects.toThrow()
    expect(state.aborted).toBe(1)
  })

  it('says which port is taken', async () => {
    platform = await start()
    const second = createServer({ handler: () => Promise.resolve(), logger: SILENT })
    const error: unknown = await second.listen({ port: platform.port }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(PortError)
    expect(error).toMatchObject({ code: 'EADDRINUSE', port: platform.port, host: '127.0.0.1' })
  })

  it('serves over TLS, with version 1.2 at least', async () => {
    platform = await start()
    const now = Date.now()
    const pair = selfSignedAuthority('test', {
      notBefore: new Date(now - 60_000),
      notAfter: new Date(now + 3_600_000),
    })
    const server = createServer({
      handler: async ({ response }) => void response.end('over tls'),
      logger: SILENT,
      tls: { cert: pair.cert, key: pair.key },
    })
    const { port } = await server.listen({ port: 0 })
    const get = (options: https.RequestOptions) =>
      new Promise<string>((resolve, reject) => {
        https
          .get(
            { port, host: '127.0.0.1', rejectUnauthorized: false, agent: false, ...options },
            (response) => {
              response.on('data', (chunk: Buffer) => resolve(chunk.toString()))
            },
          )
          .on('error', reject)
      })
    expect(await get({})).toBe('over tls')
    await expect(get({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })).rejects.toThrow()
    await server.close(100)
  })

  it('breaks the connection when the handler itself fails', async () => {
    platform = await start()
    const server = createServer({ handler: () => Promise.reject(new Error('bug')), logger: SILENT })
    const { port } = await server.listen({ port: 0 })
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow()
    await server.close(0)
  })
})
