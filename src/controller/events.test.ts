import { afterEach, beforeEach, expect, it } from 'vitest'
import { silent } from '../../test/fixtures/logger.js'
import { RestClient } from '../client/rest.js'
import { type Kube, startKube } from '../kube/index.js'
import { PLATFORM } from '../client/writer.js'
import { type EventObject, EventWriter } from './events.js'

let kube: Kube
let client: RestClient

beforeEach(async () => {
  kube = await startKube()
  client = new RestClient({ transport: kube.transport, user: PLATFORM })
})
afterEach(() => kube.close())

const about = (name: string, namespace?: string) => ({
  apiVersion: 'v1',
  kind: namespace === undefined ? 'Namespace' : 'ServiceAccount',
  metadata: { name, uid: `uid-${name}`, resourceVersion: '7', ...(namespace && { namespace }) },
})

async function stored(): Promise<EventObject[]> {
  const list = await client
    .resource<EventObject>({ group: '', version: 'v1', resource: 'events' })
    .list({ fieldSelector: 'source=namespace-controller' })
  return list.items.sort((a, b) => a.message.localeCompare(b.message))
}

it('tells of a cluster-scoped object in the default namespace, of any other in its own', async () => {
  const writer = new EventWriter({ client, logger: silent, now: () => Date.parse('2026-01-01T00:00:00Z') })
  const recorder = writer.recorder('namespace-controller')

  recorder.event(about('blue'), 'Normal', 'Synced', 'one')
  recorder.event(about('robot', 'default'), 'Warning', 'FailedSync', 'two')
  await writer.drained()

  expect(await stored()).toMatchObject([
    {
      metadata: { namespace: 'default', name: expect.stringMatching(/^blue\.[0-9a-f]+$/) as string },
      involvedObject: { kind: 'Namespace', name: 'blue', uid: 'uid-blue', resourceVersion: '7' },
      type: 'Normal',
      reason: 'Synced',
      count: 1,
      firstTimestamp: '2026-01-01T00:00:00Z',
    },
    { involvedObject: { kind: 'ServiceAccount', namespace: 'default' }, type: 'Warning' },
  ])
})

it('counts repeats, both those that wait and those that were written', async () => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const writer = new EventWriter({ client, logger: silent, now: () => now })
  const recorder = writer.recorder('namespace-controller')

  recorder.event(about('blue'), 'Normal', 'Synced', 'one')
  recorder.event(about('blue'), 'Normal', 'Synced', 'one')
  await writer.drained()
  now += 60_000
  recorder.event(about('blue'), 'Normal', 'Synced', 'one')
  await writer.drained()

  expect(await stored()).toMatchObject([
    { count: 3, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:01:00Z' },
  ])
})

it('begins anew when the Event has expired, and gives up what cannot be written', async () => {
  const writer = new EventWriter({ client, logger: silent })
  const recorder = writer.recorder('namespace-controller')
  recorder.event(about('blue'), 'Normal', 'Synced', 'one')
  await writer.drained()
  await client.resource({ group: '', version: 'v1', resource: 'events' }).deleteCollection({
    namespace: 'default',
  })

  recorder.event(about('robot', 'nowhere'), 'Normal', 'Synced', 'lost')
  recorder.event(about('blue'), 'Normal', 'Synced', 'one')
  await writer.drained()

  expect(await stored()).toMatchObject([{ message: 'one', count: 1 }])
})

it('holds no more than its limit', async () => {
  const writer = new EventWriter({ client, logger: silent, limit: 2 })
  const recorder = writer.recorder('namespace-controller')

  for (const message of ['one', 'two', 'three']) recorder.event(about('blue'), 'Normal', 'Synced', message)
  await writer.drained()

  expect((await stored()).map(({ message }) => message)).toEqual(['one', 'two'])
})
