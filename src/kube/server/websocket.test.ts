import { WebSocket } from 'ws'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { type Duplex } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, fixture, widget, WIDGETS } from './fixture.js'
import { nodeListeners } from './node.js'

const HEADERS = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version': '13',
}

describe('a watch over WebSocket', () => {
  const kube = fixture()
  const { request, upgrade } = nodeListeners(kube.server.handle)
  const server = createServer(request).on('upgrade', upgrade)
  let base: string
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    base = `127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => void server.close())

  it('has one event per text frame, and ends with the watch', async () => {
    await kube.call('POST', WIDGETS, widget('a'))
    const socket = new WebSocket(`ws://${base}/api/v1/watch/namespaces/default/widgets?timeoutSeconds=5`)
    const events: { type: string; object: { metadata: { name: string } } }[] = []
    let closed = 0
    socket.on('message', (data: Buffer, binary) => {
      expect(binary).toBe(false)
      events.push(JSON.parse(data.toString()) as (typeof events)[number])
    })
    socket.on('close', (code) => (closed = code))
    await eventually(() => expect(events).toHaveLength(1))

    await kube.call('POST', WIDGETS, widget('b'))

    await eventually(() => expect(events.map(({ object }) => object.metadata.name)).toEqual(['a', 'b']))
    kube.clock.advance(5_000)
    await eventually(() => expect(closed).toBe(1000))
    expect(kube.server.watches).toBe(0)
  })

  it('is freed when the browser leaves', async () => {
    const socket = new WebSocket(`ws://${base}${WIDGETS}?watch=1`)
    await new Promise((resolve) => socket.once('open', resolve))
    await eventually(() => expect(kube.server.watches).toBe(1))

    socket.terminate()

    await eventually(() => expect(kube.server.watches).toBe(0))
  })

  it('speaks an offered protocol that is no token', async () => {
    const token = 'base64url.bearer.authorization.k8s.io.dG9rZW4'
    const socket = new WebSocket(`ws://${base}${WIDGETS}?watch=1`, [token, 'base64.binary.k8s.io'])
    await new Promise((resolve) => socket.once('open', resolve))

    expect(socket.protocol).toBe('base64.binary.k8s.io')
    socket.terminate()
  })

  it('is refused with a plain answer', async () => {
    const socket = new WebSocket(`ws://${base}/api/v1/namespaces/default/nope?watch=1`)
    const status = await new Promise((resolve) =>
      socket.once('unexpected-response', (_request, response) => resolve(response.statusCode)),
    )

    expect(status).toBe(404)
  })

  it('works in process, on a pair of streams', async () => {
    const path = `${WIDGETS}?watch=1&resourceVersion=${kube.storage.revision}`
    const accepted = await kube.server.transport.upgrade({ method: 'GET', path, headers: HEADERS })
    expect(accepted.status).toBe(101)
    expect(accepted.headers['sec-websocket-accept']).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
    const socket = accepted.socket as Duplex
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))

    await kube.call('POST', WIDGETS, widget('in-process'))

    await eventually(() => expect(text).toContain('"name":"in-process"'))
    socket.destroy()
    await eventually(() => expect(kube.server.watches).toBe(0))
  })

  it('is refused in process as well', async () => {
    const refused = await kube.server.transport.upgrade({ method: 'GET', path: '/nope', headers: HEADERS })

    expect(refused).toMatchObject({ status: 404 })
    expect(Buffer.from(refused.body ?? []).toString()).toBe('404 page not found\n')
  })
})
