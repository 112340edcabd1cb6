import { expect, it } from 'vitest'
import { startCluster } from '../fixture.js'

it('an Event is forgotten an hour after it was last written', async () => {
  const cluster = await startCluster({ controllers: ['event-ttl'] })
  const event = (name: string, lastTimestamp: string): object => ({
    metadata: { name },
    involvedObject: { namespace: 'default', kind: 'Pod', name: 'p' },
    lastTimestamp,
  })
  await cluster.create('events', event('old', '2026-01-01T00:00:00Z'))
  await cluster.create('events', event('new', '2026-01-01T00:30:00Z'))

  await expect
    .poll(
      () => {
        cluster.clock.advance(60_000)
        return cluster.list('events').map(({ metadata }) => metadata.name)
      },
      { interval: 5, timeout: 5000 },
    )
    .toEqual(['new'])

  expect(cluster.clock.now()).toBeGreaterThanOrEqual(Date.parse('2026-01-01T01:00:00Z'))
  await cluster.close()
})
