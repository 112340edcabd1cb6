import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Egress } from '../integrations/egress.js'
import { HttpSender } from './http.js'

const lookup = vi.hoisted(() => vi.fn())
vi.mock('node:dns/promises', () => ({ lookup }))

afterEach(() => lookup.mockReset())

const call = (url: string) => ({
  url,
  body: {},
  timeoutMs: 5_000,
  isTenant: true,
  signal: new AbortController().signal,
})

describe('messages of tenants', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '::',
    '::1',
    '[::1]',
    '::127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:a00:1',
    '0:0:0:0:0:ffff:a00:1',
    '0:0:0:0:0:FFFF:169.254.169.254',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
  ])('do not go to %s', async (host) => {
    await expect(new Egress().resolve(host, true)).rejects.toThrow('not allowed')
  })

  it('go where the operator allows it, in every form of the address', async () => {
    const egress = new Egress(['10.0.0.0/8'])

    expect(await egress.resolve('10.0.0.1', true)).toEqual({ address: '10.0.0.1', family: 4 })
    expect(await egress.resolve('::ffff:a00:1', true)).toEqual({ address: '::ffff:a00:1', family: 6 })
    await expect(egress.resolve('::ffff:b00:1', true)).resolves.toBeDefined()
    await expect(egress.resolve('192.168.0.1', true)).rejects.toThrow('not allowed')
  })

  it('go to the address that was checked, though the name leads elsewhere a moment later', async () => {
    const server = createServer((_, response) => response.end('{}'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    lookup.mockResolvedValueOnce([{ address: '127.0.0.1', family: 4 }])
    lookup.mockResolvedValue([{ address: '10.0.0.1', family: 4 }])
    const http = new HttpSender(new Egress(['127.0.0.1/32']))

    const first = await http.send(call(`http://rebinding.example.com:${port}/`))
    const second = http.send(call(`http://rebinding.example.com:${port}/`))

    expect(first.status).toBe(200)
    await expect(second).rejects.toThrow('not allowed')
    expect(lookup).toHaveBeenCalledTimes(2)
    server.close()
  })

  it('do not follow redirects', async () => {
    const asked: string[] = []
    const server = createServer((request, response) => {
      asked.push(request.url ?? '')
      response.writeHead(302, { location: '/inside' }).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo

    const { status } = await new HttpSender(new Egress(['127.0.0.1/32'])).send(
      call(`http://127.0.0.1:${port}/`),
    )

    expect([status, asked]).toEqual([302, ['/']])
    server.close()
  })
})
