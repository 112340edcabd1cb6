import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { remembering, silent } from '../../../test/fixtures/logger.js'
import { RedisTokenStore } from './redis-store.js'
import { tokenStoreSuite } from './store.suite.js'

function installed(): boolean {
  try {
    execFileSync('redis-server', ['--version'])
    return true
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const HAVE_REDIS = installed()
const title = `with a real redis-server${HAVE_REDIS ? '' : ', SKIPPED: redis-server is not installed'}`

describe.skipIf(!HAVE_REDIS)(title, () => {
  const password = 'store-test'
  let server: ChildProcess
  let port: number
  let dir: string

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'tokens-'))
    port = await freePort()
    const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--save', '']
    server = spawn('redis-server', [...options, '--requirepass', password], { stdio: 'ignore' })
    const probe = new Redis({ host: '127.0.0.1', port, password, retryStrategy: () => 20 })
    probe.on('error', () => undefined)
    await new Promise((resolve) => probe.once('ready', resolve))
    probe.disconnect()
  })

  afterAll(() => {
    server?.kill()
    rmSync(dir, { recursive: true, force: true })
  })

  const options = () => ({ host: '127.0.0.1', port, password, db: 1 })

  tokenStoreSuite(
    async () => {
      const redis = new Redis(options())
      await redis.flushdb()
      redis.disconnect()
      return new RedisTokenStore(options(), silent)
    },
    (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  )

  it('uses the keys of the original, with the token as value and a time to live', async () => {
    const store = new RedisTokenStore(options(), silent)
    const redis = new Redis(options())

    await store.put('ann', 'a.b.c', 60_000)

    const key = 'kubesphere:user:ann:token:a.b.c'
    expect(await redis.get(key)).toBe('a.b.c')
    expect(await redis.pttl(key)).toBeGreaterThan(50_000)
    redis.disconnect()
    store.close()
  })
})

describe('a redis that is away', () => {
  it('fails requests with 503 instead of letting them wait, and is logged once', async () => {
    const log = remembering()
    const store = new RedisTokenStore({ host: '127.0.0.1', port: await freePort() }, log)

    await expect(Promise.resolve(store.has('ann', 't'))).rejects.toMatchObject({ code: 503 })
    await expect(store.ping()).rejects.toMatchObject({ code: 503 })

    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
    store.close()
  })
})
