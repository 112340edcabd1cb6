import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startKube, type Kube } from '../kube/index.js'
import { runLeaderElection, microTime } from './leaderelection.js'
import { silent } from './log.js'
import { eventually } from './testing/eventually.js'
import { send, type Transport } from './transport.js'

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/default/leases/test'

let kube: Kube
const stops: AbortController[] = []

beforeEach(async () => {
  kube = await startKube({ memory: true, controllers: false })
})

afterEach(async () => {
  for (const stop of stops.splice(0)) stop.abort()
  await kube.close()
})

/** A candidate with short times, and what has become of it. */
function candidate(identity: string, transport: Transport = kube.transport, leaseMs = 3_000) {
  const stop = new AbortController()
  stops.push(stop)
  const seen = { led: 0, lost: 0, leaders: [] as string[] }
  const done = runLeaderElection({
    transport,
    namespace: 'default',
    name: 'test',
    identity,
    logger: silent,
    signal: stop.signal,
    user: kube.adminUser,
    onLeading: () => seen.led++,
    onLost: () => seen.lost++,
    onNewLeader: (leader) => seen.leaders.push(leader),
    leaseMs,
    renewMs: 300,
    retryMs: 20,
  })
  return { seen, stop, done }
}

async function lease() {
  const answer = await send(kube.transport, { method: 'GET', path: LEASE, headers: {}, user: kube.adminUser })
  return JSON.parse(answer.body.toString()) as {
    metadata: { resourceVersion: string }
    spec: Record<string, string | number>
  }
}

/** The embedded API, until it is cut off. */
function cuttable(): { transport: Transport; cut: () => void } {
  let gone = false
  return {
    cut: () => (gone = true),
    transport: {
      ...kube.transport,
      dispatch(request, sink) {
        if (!gone) return kube.transport.dispatch(request, sink)
        queueMicrotask(() => sink.fail(new Error('connect ECONNREFUSED')))
        return { abort: () => undefined, resume: () => undefined }
      },
    },
  }
}

describe('leader election', () => {
  it('elects one, which renews; the other waits and learns who leads', async () => {
    const first = candidate('a')
    await eventually(() => expect(first.seen.led).toBe(1))
    const second = candidate('b')
    const { resourceVersion } = (await lease()).metadata

    await eventually(() => expect(second.seen.leaders).toEqual(['a']))
    await eventually(async () => expect((await lease()).metadata.resourceVersion).not.toBe(resourceVersion))

    const { spec } = await lease()
    expect(spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 3, leaseTransitions: 0 })
    expect(spec.renewTime).toMatch(/\.\d{6}Z$/)
    expect(second.seen.led).toBe(0)
  })

  it('hands over at once when the leader leaves', async () => {
    const first = candidate('a', kube.transport, 60_000)
    await eventually(() => expect(first.seen.led).toBe(1))
    const second = candidate('b', kube.transport, 60_000)
    await eventually(() => expect(second.seen.leaders).toEqual(['a']))

    first.stop.abort()
    await first.done
    await eventually(() => expect(second.seen.led).toBe(1)) // Long before the lease ends.

    expect(first.seen.lost).toBe(0)
    expect((await lease()).spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 })
  })

  it('stops a leader that is cut off before another may begin', async () => {
    const { transport, cut } = cuttable()
    const first = candidate('a', transport)
    await eventually(() => expect(first.seen.led).toBe(1))
    const second = candidate('b')

    cut()
    await first.done
    expect(first.seen.lost).toBe(1)
    expect(second.seen.led).toBe(0)
    await eventually(() => expect(second.seen.led).toBe(1))
  })

  it('lets only one of many win', async () => {
    const many = Array.from({ length: 8 }, (_, i) => candidate(`c${i}`))
    await eventually(() => expect(many.every(({ seen }) => seen.leaders.length > 0)).toBe(true))
    expect(many.filter(({ seen }) => seen.led > 0)).toHaveLength(1)
  })

  it('stops a leader whose lease another took by force', async () => {
    const first = candidate('a')
    await eventually(() => expect(first.seen.led).toBe(1))
    await eventually(async () => {
      const taken = await lease()
      Object.assign(taken.spec, { holderIdentity: 'z', renewTime: microTime(Date.now()) })
      const body = Buffer.from(JSON.stringify(taken))
      const headers = { 'content-type': 'application/json' }
      const { status } = await send(kube.transport, {
        method: 'PUT',
        path: LEASE,
        headers,
        body,
        user: kube.adminUser,
      })
      expect(status).toBe(200)
    })

    await first.done
    expect(first.seen.lost).toBe(1)
  })
})
