import { connect, type ClientHttp2Session } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ANONYMOUS, type UserInfo } from '../../apimachinery/meta/types.js'
import {
  clientCertificate,
  type KeyPair,
  selfSignedAuthority,
  servingCertificate,
} from '../../certificates/index.js'
import { eventually, fixture, widget, WIDGETS } from './fixture.js'
import { SILENT } from './interfaces.js'
import { listen, type Listener, PortInUse } from './listener.js'

const VALIDITY = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) }

describe('the listener', () => {
  const asked: UserInfo[] = []
  const kube = fixture({
    authenticate({ peerCertificate }) {
      const { certificate, authorized } = peerCertificate ?? {}
      const user = authorized ? { name: String(certificate?.subject.CN), groups: [] } : ANONYMOUS
      asked.push(user)
      return user
    },
  })
  let authority: KeyPair
  let serving: KeyPair
  let client: KeyPair
  let listener: Listener

  beforeAll(async () => {
    authority = selfSignedAuthority('test-ca', VALIDITY)
    serving = servingCertificate(authority, 'test', ['127.0.0.1', 'localhost'], VALIDITY)
    client = clientCertificate(authority, { commonName: 'ann', organizations: [] }, VALIDITY)
    listener = await open(0)
  })
  afterAll(() => listener.close(100))

  const open = (port: number): Promise<Listener> =>
    listen({
      handle: kube.server.handle,
      key: serving.key,
      cert: serving.cert,
      clientCa: authority.cert,
      host: '127.0.0.1',
      port,
      logger: SILENT,
    })

  function https(
    method: string,
    path: string,
    options: { body?: Buffer; certificate?: KeyPair; headers?: Record<string, string> } = {},
  ): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
    return new Promise((resolve, reject) => {
      const sent = httpsRequest(
        {
          host: '127.0.0.1',
          port: listener.port,
          method,
          path,
          ca: authority.cert,
          agent: false,
          headers: { ...(options.body && { 'content-type': 'application/json' }), ...options.headers },
          ...options.certificate,
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => (text += chunk))
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
          )
        },
      )
      sent.on('error', reject)
      sent.end(options.body)
    })
  }

  async function http2(): Promise<ClientHttp2Session> {
    const session = connect(`https://127.0.0.1:${listener.port}`, { ca: authority.cert, ...client })
    await new Promise((resolve, reject) => session.once('connect', resolve).once('error', reject))
    return session
  }

  it('serves HTTP/1.1, and knows a client by its certificate', async () => {
    const created = await https('POST', WIDGETS, {
      body: Buffer.from(JSON.stringify(widget('h1'))),
      certificate: client,
    })

    expect(created.status).toBe(201)
    expect(created.headers['content-type']).toBe('application/json')
    expect(asked.at(-1)).toMatchObject({ name: 'ann' })
    await https('GET', '/version')
    expect(asked.at(-1)).toBe(ANONYMOUS)
  })

  it('serves HTTP/2 on the same port, watches too', async () => {
    const session = await http2()
    const stream = session.request({ ':path': `${WIDGETS}?watch=1&resourceVersion=${kube.storage.revision}` })
    let status = 0
    let text = ''
    stream.on('response', (headers) => (status = Number(headers[':status'])))
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    // Headers come before any event.
    await eventually(() => expect(status).toBe(200))

    await https('POST', WIDGETS, { body: Buffer.from(JSON.stringify(widget('h2'))) })

    await eventually(() => expect(text).toContain('"name":"h2"'))
    expect(asked.some(({ name }) => name === 'ann')).toBe(true)
    stream.close()
    await eventually(() => expect(kube.server.watches).toBe(0))
    session.close()
  })

  it('lets an aborted connection free its watch', async () => {
    const sent = httpsRequest({
      host: '127.0.0.1',
      port: listener.port,
      path: `${WIDGETS}?watch=1`,
      ca: authority.cert,
      agent: false,
    })
    sent.on('error', () => {})
    sent.end()
    await eventually(() => expect(kube.server.watches).toBe(1))

    sent.destroy()

    await eventually(() => expect(kube.server.watches).toBe(0))
  })

  it('refuses a body over three mebibytes, whether its length is told or not', async () => {
    const body = Buffer.alloc(3 * 1024 * 1024 + 1, 0x20)

    const told = await https('POST', WIDGETS, { body })
    const untold = await https('POST', WIDGETS, { body, headers: { 'transfer-encoding': 'chunked' } })

    for (const { status, text } of [told, untold]) {
      expect(status).toBe(413)
      expect(JSON.parse(text)).toMatchObject({
        message: 'Request entity too large: limit is 3145728',
        reason: 'RequestEntityTooLarge',
      })
    }
  })

  it('compresses large lists on request only', async () => {
    for (let i = 0; i < 4; i++) {
      await kube.call('POST', WIDGETS, widget(`large-${i}`, { data: { text: 'x'.repeat(50_000) } }))
    }

    const plain = await https('GET', WIDGETS)
    const packed = await https('GET', WIDGETS, { headers: { 'accept-encoding': 'gzip' } })

    expect(plain.headers['content-encoding']).toBeUndefined()
    expect(Number(plain.headers['content-length'])).toBeGreaterThan(200_000)
    expect(packed.headers['content-encoding']).toBe('gzip')
    expect(packed.text.length).toBeLessThan(20_000)
  })

  it('answers an upgrade that nobody takes with a plain answer', async () => {
    const { status } = await https('GET', '/nowhere', {
      headers: { connection: 'Upgrade', upgrade: 'websocket' },
    })

    expect(status).toBe(404)
  })

  it('says which port is taken', async () => {
    const second = open(listener.port)

    await expect(second).rejects.toBeInstanceOf(PortInUse)
    await expect(second).rejects.toMatchObject({ port: listener.port })
  })

  it('ends its watches on close, and then takes no connection', async () => {
    const other = await open(0)
    const session = connect(`https://127.0.0.1:${other.port}`, { ca: authority.cert })
    session.on('error', () => {})
    const stream = session.request({ ':path': `${WIDGETS}?watch=1` })
    let ended = false
    stream.on('data', () => {}).on('end', () => (ended = true))
    await eventually(() => expect(kube.server.watches).toBe(1))

    kube.server.drain()
    await other.close()

    expect(ended).toBe(true)
    expect(kube.server.watches).toBe(0)
  })
})
