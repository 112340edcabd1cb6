import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LiteralInformers } from '../../test/fixtures/informers.js'
import { silent } from '../../test/fixtures/logger.js'
import { type ResponseSink, type Transport } from '../client/transport.js'
import { type JsonDocument } from '../integrations/records/interface.js'
import { RecordBatches } from './batches.js'
import { collectEvents, storedEvent } from './events.js'
import { type LogLine, LogLines } from './loglines.js'
import { PodLogs, type PodLogOptions } from './podlogs.js'

const T0 = Date.parse('2026-03-05T00:00:00Z')
const PODS = { group: '', version: 'v1', resource: 'pods' }
const EVENTS = { group: '', version: 'v1', resource: 'events' }

let stored: JsonDocument[]
let batches: RecordBatches
let informers: LiteralInformers

beforeEach(() => {
  stored = []
  informers = new LiteralInformers()
  batches = new RecordBatches({
    store: { append: async (documents) => void stored.push(...documents) },
    logger: silent,
    intervalMs: 1,
  })
})
afterEach(() => batches.close())

describe('Events', () => {
  const event = (name: string, lastTimestamp: string | null, more: object = {}) => ({
    metadata: { name, namespace: 'a', managedFields: [], creationTimestamp: '2026-03-05T00:00:00Z' },
    message: name,
    lastTimestamp,
    ...more,
  })
  const newest = (time: string | undefined) => ({
    page: async () => ({ total: 0, documents: time === undefined ? [] : [{ lastTimestamp: time }] }),
  })
  const messages = (): unknown[] => stored.map(({ message }) => message)

  it('are collected as they appear and as they are counted up, and not when they go', async () => {
    const stop = collectEvents({ informers, store: newest(undefined), batches })
    const informer = informers.informer(EVENTS)
    await new Promise((resolve) => setImmediate(resolve))

    informer.put(event('one', '2026-03-05T00:00:01Z'))
    informer.put(event('one', '2026-03-05T00:00:02Z', { count: 2 }))

    await expect.poll(() => stored.length).toBe(2)
    expect(stored.at(-1)).toMatchObject({ count: 2 })
    stop()
  })

  it('that are stored already are not collected again after a restart', async () => {
    const informer = informers.informer(EVENTS)
    informer.put(event('old', '2026-03-05T00:00:01Z'))
    informer.put(event('new', '2026-03-05T00:00:03Z'))

    const stop = collectEvents({ informers, store: newest('2026-03-05T00:00:02Z'), batches })

    await expect.poll(messages).toEqual(['new'])
    stop()
  })

  it('have a time to be found by, and no managed fields', () => {
    expect(storedEvent(event('x', null, { eventTime: '2026-03-05T00:00:09.123456Z' }))).toMatchObject({
      lastTimestamp: '2026-03-05T00:00:09.123456Z',
    })
    const plain = storedEvent(event('x', null))
    expect(plain['lastTimestamp']).toBe('2026-03-05T00:00:00Z')
    expect(plain['metadata']).not.toHaveProperty('managedFields')
  })
})

describe('lines of a log', () => {
  const lines = (...chunks: string[]): LogLine[] => {
    const found: LogLine[] = []
    const splitter = new LogLines((line) => found.push(line))
    for (const chunk of chunks) splitter.push(Buffer.from(chunk))
    return found
  }

  it('are cut wherever the chunks are, and keep what is in them', () => {
    expect(lines('2026-03-05T00:00:00.1Z one\n2026-03-05T00:', '00:01Z  two words \n')).toEqual([
      { time: '2026-03-05T00:00:00.1Z', text: 'one\n' },
      { time: '2026-03-05T00:00:01Z', text: ' two words \n' },
    ])
  })

  it('that never end are cut, with the time of their beginning', () => {
    const long = 'x'.repeat(20_000)
    expect(
      lines(`2026-03-05T00:00:00Z ${long}`, 'rest\n').map(({ time, text }) => [time, text.length]),
    ).toEqual([
      ['2026-03-05T00:00:00Z', 16 * 1024 + 1],
      ['2026-03-05T00:00:00Z', 5],
    ])
  })
})

describe('logs of pods', () => {
  interface Asked {
    path: string
    sink: ResponseSink
    aborted: boolean
  }
  let asked: Asked[]
  let now: number
  let podLogs: PodLogs

  const transport = {
    dispatch(request: { path: string }, sink: ResponseSink) {
      const one = { path: request.path, sink, aborted: false }
      asked.push(one)
      return { abort: () => void (one.aborted = true), resume() {} }
    },
  } as unknown as Transport
  const start = (more: Partial<PodLogOptions> = {}): void => {
    podLogs = new PodLogs({
      informers,
      transport,
      batches,
      followedContainers: 10,
      linesPerSecond: 1,
      now: () => now,
      ...more,
    })
  }
  const pod = (name: string, state: object = { running: {} }, restartCount = 0) => ({
    metadata: { name, namespace: 'a', uid: `of-${name}`, creationTimestamp: '2026-03-05T00:00:00Z' },
    status: { containerStatuses: [{ name: 'main', containerID: 'docker://c1', restartCount, state }] },
  })
  const put = (object: object): void => informers.informer(PODS).put(object as never)
  const write = ({ sink }: Asked, text: string): void => {
    sink.head(200, {})
    sink.data(Buffer.from(text))
  }
  const texts = (): unknown[] => stored.map(({ log }) => log)

  beforeEach(() => {
    asked = []
    now = T0
  })
  afterEach(() => podLogs.close())

  it('are followed from the start of each container, once', async () => {
    start()
    put(pod('web'))
    put(pod('web'))

    expect(asked.map(({ path }) => path)).toEqual([
      '/api/v1/namespaces/a/pods/web/log?container=main&follow=true&timestamps=true&sinceTime=2026-03-05T00%3A00%3A00.000Z',
    ])
    write(asked[0] as Asked, '2026-03-05T00:00:01Z hello\n')
    await expect
      .poll(() => stored)
      .toEqual([
        {
          log: 'hello\n',
          time: '2026-03-05T00:00:01Z',
          kubernetes: { namespace_name: 'a', pod_name: 'web', container_name: 'main', docker_id: 'c1' },
        },
      ])
  })

  it('of a container that has started again are followed anew, and the end of the old one is its end', () => {
    start()
    put(pod('web'))
    put(pod('web', { running: {} }, 1))
    asked[0]?.sink.head(200, {})
    asked[0]?.sink.end()

    expect(asked).toHaveLength(2)
    expect(podLogs.following).toBe(1)
  })

  it('that break off are taken up after the last line', async () => {
    start()
    put(pod('web'))
    write(asked[0] as Asked, '2026-03-05T00:00:01.5Z one\n')
    asked[0]?.sink.fail(new Error('reset'))

    await expect.poll(() => asked.length, { timeout: 5_000 }).toBe(2)
    expect(asked[1]?.path).toContain('sinceTime=2026-03-05T00%3A00%3A01.5Z')
    write(
      asked[1] as Asked,
      '2026-03-05T00:00:01Z zero\n2026-03-05T00:00:01.5Z one\n2026-03-05T00:00:01.50001Z two\n',
    )
    await expect.poll(texts).toEqual(['one\n', 'two\n'])
  })

  it('beyond the rate of lines are skipped and counted', () => {
    start()
    put(pod('web'))
    write(asked[0] as Asked, '2026-03-05T00:00:01Z x\n'.repeat(30))
    expect(podLogs.skipped).toBe(20)

    now += 5_000
    write(asked[0] as Asked, '2026-03-05T00:00:06Z x\n'.repeat(10))
    expect(podLogs.skipped).toBe(25)
  })

  it('of more containers than may be followed wait for one to end', () => {
    start({ followedContainers: 1 })
    put(pod('one'))
    put(pod('two'))
    expect(asked).toHaveLength(1)

    put(pod('one', { terminated: {} }))
    asked[0]?.sink.head(200, {})
    asked[0]?.sink.end()

    expect(asked.map(({ path }) => path.split('/')[6])).toEqual(['one', 'two'])
  })

  it('of a pod that is deleted, and of all at the end, are left', () => {
    start()
    put(pod('web'))
    podLogs.close()

    expect(asked[0]?.aborted).toBe(true)
    expect(podLogs.following).toBe(0)
  })
})

describe('batches', () => {
  it('hold no more than their bound, and count what a store does not take', async () => {
    const failing = new RecordBatches({
      store: { append: () => Promise.reject(new Error('full')) },
      logger: silent,
      capacity: 2,
    })
    for (let i = 0; i < 3; i++) failing.add({})
    await failing.close()

    expect(failing.counts).toEqual({ delivered: 0, dropped: 1, failed: 2 })
  })
})
