/**
 * What sending one request upstream costs: our client against that of node, in CPU per request.
 *
 * A node:http server in another process answers 2 KB of JSON; each contender sends GETs at 32 at a time.
 */
import { fork } from 'node:child_process'
import { Agent, createServer, request as httpRequest } from 'node:http'
import { type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { HttpTransport } from '../src/client/http/index.js'

const REQUESTS = 20_000
const CONCURRENCY = 32

export async function run(): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ['serve'], { execArgv: process.execArgv })
  const port = await new Promise<number>((resolve) =>
    child.once('message', (value) => resolve(Number(value))),
  )
  const client = new HttpTransport({ server: `http://127.0.0.1:${port}` })
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  const ours = (): Promise<number> =>
    new Promise((resolve, reject) => {
      let size = 0
      client.dispatch(
        { method: 'GET', path: '/api/v1/configmaps', headers: { accept: 'application/json' } },
        {
          head: () => undefined,
          data: (chunk) => {
            size += chunk.length
            return true
          },
          end: () => resolve(size),
          fail: reject,
        },
      )
    })
  const theirs = (): Promise<number> =>
    new Promise((resolve, reject) => {
      httpRequest(
        { port, path: '/api/v1/configmaps', agent, headers: { accept: 'application/json' } },
        (response) => {
          let size = 0
          response.on('data', (chunk: Buffer) => (size += chunk.length))
          response.on('end', () => resolve(size))
        },
      )
        .on('error', reject)
        .end()
    })
  try {
    await measure(ours, 2_000)
    await measure(theirs, 2_000)
    const rows = []
    for (const [client, send] of Object.entries({ 'client/http1': ours, 'node:http': theirs })) {
      rows.push({ client, ...(await measure(send, REQUESTS)) })
    }
    console.table(rows)
  } finally {
    await client.close()
    agent.destroy()
    child.kill()
  }
}

async function measure(send: () => Promise<number>, requests: number) {
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  let left = requests
  const worker = async (): Promise<void> => {
    while (left-- > 0) await send()
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
  const { user, system } = process.cpuUsage(cpu)
  return {
    'CPU µs per request': Math.round((user + system) / requests),
    'requests/s': Math.round((requests / (performance.now() - startedAt)) * 1000),
  }
}

if (process.argv[2] === 'serve' && process.send) {
  const body = JSON.stringify({ data: 'x'.repeat(2000) })
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body)
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
}
