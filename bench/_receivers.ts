/**
 * Receivers of notifications in a process of their own, one at each path; that at `/hangs` never answers. Prints its own
 * address; `GET /told` tells how many alerts the others have been told of, and how many of them twice.
 */
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'

interface Body {
  alerts: { fingerprint: string }[]
}

const known = new Set<string>()
let twice = 0
let messages = 0

const server = createServer((request, response) => {
  if (request.url === '/told') {
    response.end(JSON.stringify({ alerts: known.size, twice, messages }))
    return
  }
  if (request.url === '/hangs') return
  let text = ''
  request.on('data', (chunk: Buffer) => (text += chunk.toString()))
  request.on('end', () => {
    messages++
    for (const { fingerprint } of (JSON.parse(text) as Body).alerts) {
      if (known.has(fingerprint)) twice++
      known.add(fingerprint)
    }
    response.end('{}')
  })
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
