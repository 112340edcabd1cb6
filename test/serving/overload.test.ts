import net from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Reply, route, type ApiGroup } from '../../src/serving/route.js'
import { type Harness, start, type StartOptions } from './harness.js'

let harness: Harness | undefined

afterEach(async () => {
  await harness?.close()
  harness = undefined
})

/** A group whose `/slow` answers when told, and whose `/large` answers with 64 MB. */
function slowGroup() {
  const waiting: { finish: () => void; signal: AbortSignal }[] = []
  const group: ApiGroup = {
    root: '/kapis/slow.io/v1',
    title: 'Slow',
    errors: 'status',
    routes: [
      route({
        method: 'GET',
        path: '/slow',
        summary: 'Waits.',
        access: 'authorized',
        handle: ({ signal }) =>
          new Promise((resolve, reject) => {
            waiting.push({ finish: () => resolve({ done: true }), signal })
            signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
          }),
      }),
      route({
        method: 'GET',
        path: '/large',
        summary: 'Is large.',
        access: 'authorized',
        handle: () => new Reply(200, {}, Buffer.alloc(64 * 1024 * 1024)),
      }),
    ],
  }
  return { group, waiting }
}

const authorizer = {
  authorize: () => ({ allowed: true, reason: '' }),
  explain: async () => ({ allowed: true, reason: '', explanation: { text: '' } }),
}

async function server(options: StartOptions): Promise<Harness> {
  return (harness = await start({ authorizer, ...options }))
}

async function eventually(check: () => void): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return check()
    } catch (error) {
      if (tries > 200) throw error
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

describe('a server of which more is asked than it can do', () => {
  it('answers other clients while one asks for everything', async () => {
    const { group, waiting } = slowGroup()
    const platform = await server({ groups: [group], overload: { inFlight: 4 } })
    const slow = Array.from({ length: 6 }, () =>
      platform.send('GET', '/kapis/slow.io/v1/slow', { user: 'greedy' }),
    )
    await eventually(() => expect(waiting.length).toBe(3))

    expect((await platform.send('GET', '/kapis/version', { user: 'ann' })).status).toBe(200)

    for (let done = 0; done < 6; done++) {
      await eventually(() => expect(waiting.length).toBeGreaterThan(done))
      waiting[done]?.finish()
    }
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual(Array(6).fill(200))
  })

  it('refuses with 429 and says when to come again, and still answers probes', async () => {
    const { group, waiting } = slowGroup()
    const platform = await server({ groups: [group], overload: { inFlight: 1 } })
    const ask = () => platform.send('GET', '/kapis/slow.io/v1/slow', { user: 'greedy' })
    const [first, second] = [ask(), ask()]
    await eventually(() => expect(waiting.length).toBe(1))

    const refused = await ask()

    expect(refused.status).toBe(429)
    expect(refused.headers['retry-after']).toBe('1')
    expect(refused.json()).toMatchObject({ kind: 'Status', reason: 'TooManyRequests', code: 429 })
    expect((await platform.send('GET', '/healthz')).status).toBe(200)
    waiting[0]?.finish()
    await eventually(() => expect(waiting.length).toBe(2))
    waiting[1]?.finish()
    expect([(await first).status, (await second).status]).toEqual([200, 200])
  })

  it('gives a request up that takes too long', async () => {
    const { group, waiting } = slowGroup()
    const platform = await server({ groups: [group], overload: { requestMs: 100 } })

    const answer = await platform.send('GET', '/kapis/slow.io/v1/slow', { user: 'ann' })

    expect(answer.status).toBe(504)
    expect(answer.json()).toMatchObject({ reason: 'Timeout' })
    expect(waiting[0]?.signal.aborted).toBe(true)
  })

  it('refuses with 503 while the memory is nearly full', async () => {
    let used = 0.99
    const platform = await server({ memoryUsed: () => used })

    const refused = await platform.send('GET', '/kapis/version', { user: 'ann' })

    expect(refused.status).toBe(503)
    expect(refused.headers['retry-after']).toBe('2')
    expect((await platform.send('GET', '/healthz')).status).toBe(200)
    used = 0.5
    expect((await platform.send('GET', '/kapis/version', { user: 'ann' })).status).toBe(200)
  })

  it('leaves a client that does not read its answer', async () => {
    const { group } = slowGroup()
    const { port } = await server({ groups: [group], limits: { stalledMs: 200 } })
    const socket = net.connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.pause()

    socket.write('GET /kapis/slow.io/v1/large HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ann\r\n\r\n')

    const { seen } = harness as Harness
    await eventually(() => expect(seen.length).toBe(1))
    await eventually(() => expect(seen[0]?.response.destroyed).toBe(true))
    socket.destroy()
  })
})
