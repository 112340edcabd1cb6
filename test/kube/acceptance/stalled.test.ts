/** Acceptance of a reader that stops reading: check 29. */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { check, startSubject, type Subject } from './subject.js'

let kube: Subject
let revisions: string
beforeAll(async () => {
  kube = await startSubject({ nodes: 0, stands: true })
  await kube.namespace('stalled')
  // Of what its controllers ask for a genuine server queues a thousand events, of others ten.
  revisions = '/apis/apps/v1/namespaces/stalled/controllerrevisions'
})
afterAll(() => kube?.close())

describe('a reader that stops reading', () => {
  check(
    29,
    'is dropped after a minute, and the others are told of each write meanwhile',
    async () => {
      const { json } = await kube.get(revisions)
      const path = `${revisions}?watch=1&resourceVersion=${json.metadata.resourceVersion as string}`
      const [stuck, good] = [kube.watch(path), kube.watch(path)]
      await expect.poll(() => [stuck.status, good.status]).toEqual([200, 200])
      stuck.stall()
      // More than sockets and queues hold between the two.
      const COUNT = 100
      const data = { text: 'x'.repeat(500_000) }
      for (let i = 1; i <= COUNT; i++) {
        expect((await kube.post(revisions, { metadata: { name: `m${i}` }, revision: i, data })).status).toBe(
          201,
        )
        await expect.poll(() => good.events.length).toBe(i)
      }

      await kube.elapse(61_000)
      stuck.resume()

      await expect.poll(() => stuck.ended).toBe(true)
      expect(stuck.events.length).toBeLessThan(COUNT)
      expect(good.ended).toBe(false)
      expect((await kube.post(revisions, { metadata: { name: 'after' }, revision: 0, data })).status).toBe(
        201,
      )
      await expect.poll(() => good.events.at(-1)?.object.metadata.name).toBe('after')
      good.stop()
    },
    { timeoutMs: 150_000 },
  )
})
