import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { selfSignedAuthority, servingCertificate } from '../certificates/index.js'
import { Egress } from '../integrations/egress.js'
import { HttpSender } from './http.js'

const servers: Server[] = []
let asked: string[]
let proxyUrl: string

beforeEach(async () => {
  asked = []
  const proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers['proxy-authorization']}`)
    response.end('through')
  })
  proxy.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url} ${request.headers['proxy-authorization']}`)
    const [, port] = (request.url ?? '').split(':')
    const upstream = connect(Number(port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      upstream.pipe(socket).pipe(upstream)
    })
    upstream.on('error', () => socket.destroy())
    socket.on('error', () => upstream.destroy())
  })
  proxyUrl = `http://user:pass@127.0.0.1:${await listening(proxy)}`
})
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function listening(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const USER = `Basic ${Buffer.from('user:pass').toString('base64')}`
const http = new HttpSender(new Egress(['127.0.0.1/32']))
const call = (url: string) => ({
  url,
  proxyUrl,
  body: { a: 1 },
  timeoutMs: 10_000,
  isTenant: true,
  signal: new AbortController().signal,
})

describe('webhooks through a proxy', () => {
  it('ask it for the whole URL, as its user', async () => {
    const answer = await http.send(call('http://127.0.0.1:9/hook?x=1'))

    expect([answer.text, asked]).toEqual(['through', [`POST http://127.0.0.1:9/hook?x=1 ${USER}`]])
  })

  it('are encrypted from end to end', async () => {
    const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) }
    const authority = selfSignedAuthority('hooks', validity)
    const { cert, key } = servingCertificate(authority, '127.0.0.1', ['127.0.0.1'], validity)
    const receiver = createSecureServer({ cert, key }, (request, response) =>
      response.end(`got ${request.url}`),
    )
    const port = await listening(receiver)

    const answer = await http.send({ ...call(`https://127.0.0.1:${port}/hook`), tls: { ca: authority.cert } })
    const unknown = http.send(call(`https://127.0.0.1:${port}/hook`))

    expect(answer.text).toBe('got /hook')
    expect(asked[0]).toBe(`CONNECT 127.0.0.1:${port} ${USER}`)
    await expect(unknown).rejects.toThrow('certificate')
  })

  it('reach nothing inside that the tenant may not reach without', async () => {
    await expect(http.send(call('http://10.0.0.1/'))).rejects.toThrow('not allowed')
    await expect(
      http.send({ ...call('http://127.0.0.1/'), proxyUrl: 'http://10.0.0.1:3128' }),
    ).rejects.toThrow('not allowed')
    await expect(http.send({ ...call('http://127.0.0.1/'), proxyUrl: 'socks5://127.0.0.1' })).rejects.toThrow(
      'not supported',
    )
    expect(asked).toEqual([])
  })
})
