import { afterEach, describe, expect, it } from 'vitest'
import { type Answered, type Asked, type StandIn, startStandIn } from '../../../test/fixtures/prometheus.js'
import { PrometheusClient } from './client.js'

const never = new AbortController().signal
const json = (status: number, value: unknown): Answered => ({ status, body: JSON.stringify(value) })

let standIn: StandIn | undefined
let client: PrometheusClient | undefined

afterEach(async () => {
  client?.close()
  await standIn?.close()
})

async function clientOf(
  answer: (asked: Asked, closed: AbortSignal) => Answered | Promise<Answered>,
  options: { timeoutMs?: number; limitBytes?: number } = {},
): Promise<PrometheusClient> {
  standIn = await startStandIn(answer)
  client = new PrometheusClient({ endpoint: `${standIn.url}/`, ...options })
  return client
}

describe('a query', () => {
  it('is posted as a form, and asked again with GET where only that is known', async () => {
    const good = json(200, { status: 'success', data: { resultType: 'vector', result: [] } })
    const prometheus = await clientOf(({ method }) => (method === 'POST' ? json(405, {}) : good))

    expect(await prometheus.query('up > 1', 60, { signal: never })).toEqual({
      resultType: 'vector',
      result: [],
    })

    expect(standIn?.asked.map(({ method }) => method)).toEqual(['POST', 'GET'])
    expect(standIn?.asked[1]?.fields.get('query')).toBe('up > 1')
  })

  it.each([
    [json(400, { status: 'error', errorType: 'bad_data', error: 'no' }), 'bad_data: no'],
    [json(503, { status: 'error', errorType: 'timeout', error: 'slow' }), 'timeout: slow'],
    [{ status: 503, body: '<html>' }, 'server_error: server error: 503'],
    [{ status: 404, body: 'not here' }, 'client_error: client error: 404'],
    [{ status: 200, body: 'hello' }, 'bad_response: the answer is not JSON'],
    [json(200, { status: 'success', data: {} }), 'bad_response: the answer holds no result'],
    [
      json(200, { status: 'success', data: { resultType: 'vector', result: [{ value: 1 }] } }),
      'bad_response',
    ],
  ])('that is answered %j fails with: %s', async (answer, message) => {
    const prometheus = await clientOf(() => answer)

    await expect(prometheus.query('up', 60, { signal: never })).rejects.toThrow(message)
  })

  it('fails with a timeout when no answer comes', async () => {
    const prometheus = await clientOf(() => new Promise(() => undefined), { timeoutMs: 50 })

    await expect(prometheus.query('up', 60, { signal: never })).rejects.toThrow(
      'timeout: no answer within 0.05',
    )
  })

  it('is not read beyond the limit', async () => {
    const prometheus = await clientOf(() => ({ status: 200, body: 'x'.repeat(5_000) }), { limitBytes: 1_000 })

    await expect(prometheus.query('up', 60, { signal: never })).rejects.toThrow('more than 1000 bytes')
  })

  it('is broken off when its caller leaves', async () => {
    const leaving = new AbortController()
    const broken = new Promise<void>((resolve) => {
      void clientOf((_, closed) => {
        closed.addEventListener('abort', () => resolve())
        leaving.abort(new Error('left'))
        return new Promise(() => undefined)
      }).then((prometheus) =>
        expect(prometheus.query('up', 60, { signal: leaving.signal })).rejects.toThrow('left'),
      )
    })

    await broken
  })

  it('says where nobody listens', async () => {
    const prometheus = new PrometheusClient({ endpoint: 'http://127.0.0.1:9' })

    await expect(prometheus.query('up', 60, { signal: never })).rejects.toThrow(
      'Post "http://127.0.0.1:9/api/v1/query": dial tcp 127.0.0.1:9: connect: connection refused',
    )
  })
})
