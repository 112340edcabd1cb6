/** A Prometheus that answers with far too much. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { PrometheusClient } from './client.js'
import { LIMIT_BYTES, MetricsHttp } from './http.js'

const MIB = 1024 * 1024
const never = new AbortController().signal

let server: Server | undefined
let client: PrometheusClient | undefined

afterEach(() => {
  client?.close()
  server?.closeAllConnections()
  server?.close()
})

/** Streams as much as is taken, up to so many MiB, and counts what was written. */
async function streaming(mib: number): Promise<{ written: () => number; prometheus: PrometheusClient }> {
  const chunk = Buffer.alloc(MIB, 'x')
  let written = 0
  server = createServer((request, response) => {
    request.resume()
    let left = mib
    const more = (): void => {
      while (left > 0 && !response.destroyed) {
        left -= 1
        written += chunk.length
        if (!response.write(chunk)) {
          response.once('drain', more)
          return
        }
      }
      response.end()
    }
    more()
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  client = new PrometheusClient({ endpoint: `http://127.0.0.1:${port}` })
  return { written: () => written, prometheus: client }
}

describe('answers of 50 MB', () => {
  it('are errors of their metrics, twenty at once too, and nothing of them stays', async () => {
    const { written, prometheus } = await streaming(50)

    const answers = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => prometheus.query(`m${index}`, 1, { signal: never })),
    )

    for (const answer of answers) {
      expect(answer.status).toBe('rejected')
      expect(String((answer as PromiseRejectedResult).reason)).toMatch(/bytes/)
    }
    // Broken off: most of the thousand MB never went over the line.
    expect(written()).toBeLessThan(20 * 50 * MIB)

    await expect(prometheus.query('next', 1, { signal: never })).rejects.toThrow(
      `more than ${LIMIT_BYTES} bytes`,
    )
  }, 60_000)
})

describe('answers that are on their way at the same time', () => {
  it('are bounded together: who exceeds that fails, the others go on', async () => {
    const open: ServerResponse[] = []
    server = createServer((request, response) => {
      request.resume()
      open.push(response)
      response.write('x'.repeat(30))
    })
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const http = new MetricsHttp(1_000, 64)
    const asked = { method: 'GET', url: new URL(`http://127.0.0.1:${port}`), signal: never } as const
    const ask = () => http.send({ ...asked, timeoutMs: 60_000 })
    try {
      const outcomes = Promise.allSettled([ask(), ask(), ask()])
      await expect.poll(() => open.length).toBe(3)
      await expect.poll(() => open.filter(({ destroyed }) => destroyed).length).toBe(1)
      for (const response of open) response.end()

      const settled = (await outcomes).map((one) =>
        one.status === 'fulfilled' ? one.value.text.length : String(one.reason),
      )
      expect(settled.filter((one) => one === 30)).toHaveLength(2)
      expect(settled.join()).toContain('more than 64 bytes at the same time')

      const next = ask()
      await expect.poll(() => open.length).toBe(4)
      open.at(-1)?.end()
      expect((await next).text).toHaveLength(30)
    } finally {
      http.close()
    }
  }, 60_000)
})
