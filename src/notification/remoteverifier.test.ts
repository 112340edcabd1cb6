import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { SILENT } from '../serving/log.js'
import { RemoteVerifier } from './remoteverifier.js'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function manager(status: number, body: string): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end(body))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const verify = (endpoint: string) =>
  new RemoteVerifier(endpoint, SILENT).verify(Buffer.from('{}'), new AbortController().signal)

describe('verification by a manager elsewhere', () => {
  it('is never good when the manager is down, or is something else', async () => {
    await expect(verify('http://127.0.0.1:1')).rejects.toThrow()
    await expect(verify(await manager(200, '<html>'))).rejects.toThrow()
    await expect(verify(await manager(302, ''))).rejects.toThrow()
    expect(await verify('')).toEqual({ Status: 500, Message: 'Cannot find Notification Manager endpoint' })
  })

  it('says what the manager said, whatever its status', async () => {
    const endpoint = await manager(400, '{"Status":400,"Message":"535 bad password"}')

    expect(await verify(endpoint)).toEqual({ Status: 400, Message: '535 bad password' })
  })
})
