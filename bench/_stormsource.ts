/**
 * A process between the product and a genuine API server, in which pods change more often than etcd could write them: every
 * request passes through, but a watch of pods is answered with updates of the pods that are there, so many a second.
 *
 * Arguments: the API server, a token, updates a second. Prints its own address; `GET /storm` tells `{"sent":N}`.
 */
import http from 'node:http'
import https from 'node:https'
import { type AddressInfo } from 'node:net'

const [upstream = '', token = '', rate = '0'] = process.argv.slice(2)
const PERIOD_MS = 20
const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false })
let sent = 0

interface Pod {
  metadata: { name: string; namespace: string; resourceVersion: string; labels?: Record<string, string> }
}

async function pods(): Promise<{ items: Pod[]; resourceVersion: number }> {
  const chunks: Buffer[] = []
  await new Promise<void>((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` }
    https
      .get(`${upstream}/api/v1/pods`, { agent, headers }, (answer) => {
        answer.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', resolve)
      })
      .on('error', reject)
  })
  const list = JSON.parse(Buffer.concat(chunks).toString()) as {
    items: Pod[]
    metadata: { resourceVersion: string }
  }
  return { items: list.items, resourceVersion: Number(list.metadata.resourceVersion) }
}

/** Before and after its version and a label that changes: an update is put together from pieces. */
function piecesOf(pod: Pod): string[] {
  const marked = structuredClone(pod)
  marked.metadata.resourceVersion = '#'
  marked.metadata.labels = { ...marked.metadata.labels, 'storm.example.com/round': '#' }
  const text = JSON.stringify({ type: 'MODIFIED', object: { kind: 'Pod', apiVersion: 'v1', ...marked } })
  return text.split('"#"')
}

let changes: Promise<{ pieces: string[][]; version: number }> | undefined
const loaded = (): NonNullable<typeof changes> =>
  (changes ??= pods().then(({ items, resourceVersion }) => ({
    pieces: items.map(piecesOf),
    version: resourceVersion,
  })))

async function storm(response: http.ServerResponse): Promise<void> {
  const { pieces, version } = await loaded()
  response.writeHead(200, { 'content-type': 'application/json' })
  response.flushHeaders()
  let next = 0
  let lastAt = performance.now()
  const timer = setInterval(() => {
    if (response.writableNeedDrain) return // Whoever reads decides.
    let text = ''
    const due = Math.round(((performance.now() - lastAt) * Number(rate)) / 1_000)
    lastAt = performance.now()
    for (let i = 0; i < due; i++, next++) {
      const parts = pieces[next % pieces.length] ?? []
      text += parts[0] ?? ''
      for (const part of parts.slice(1)) text += `"${version + next + 1}"${part}`
      text += '\n'
      sent++
    }
    response.write(text)
  }, PERIOD_MS)
  response.on('close', () => clearInterval(timer))
}

const server = http.createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://x')
  if (url.pathname === '/storm') return void response.end(JSON.stringify({ sent }))
  if (url.pathname === '/api/v1/pods' && url.searchParams.has('watch')) return void storm(response)
  const onwards = https.request(
    upstream + (request.url ?? ''),
    { agent, method: request.method, headers: request.headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    },
  )
  onwards.on('error', () => response.destroy())
  response.on('close', () => onwards.destroy())
  request.pipe(onwards)
})
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
