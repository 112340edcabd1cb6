/**
 * Many watchers of ConfigMaps, as a process of its own that notes how long each event took to arrive: whoever makes the
 * objects has written into them when that was. Written on plain sockets, so that on two cores the server is what is
 * measured.
 *
 * Reads a `WatchersPlan` from its one argument, writes "open" to its output when all watch, and `Delivered` in the end.
 */
import { connect, type TLSSocket } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { type KubeTarget, MAPS, now, SENT_AT } from './_kubeload.js'

export interface WatchersPlan extends KubeTarget {
  watchers: number
  /** That each of them waits for. */
  events: number
  patienceMs: number
}

export interface Delivered {
  p50Ms: number
  p99Ms: number
  missing: number
}

const plan = JSON.parse(process.argv[2] ?? '') as WatchersPlan
const MARK = `"${SENT_AT}":"`
const HEAD = ['GET', `${MAPS}?watch=1&timeoutSeconds=600`, 'HTTP/1.1\r\nhost: kubernetes\r\n'].join(' ')

/** Settles when the server has begun to answer. */
function watch(heard: (delayMs: number) => void): Promise<void> {
  const { hostname: host, port } = new URL(plan.url)
  const options = { host, port: Number(port), ...plan.tls, rejectUnauthorized: false }
  const socket: TLSSocket = connect({ ...options, ALPNProtocols: ['http/1.1'] })
  const headers = Object.entries(plan.headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`${HEAD}${headers.join('')}\r\n`)
  socket.setEncoding('latin1')
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('data', (head: string) => {
      if (head.startsWith('HTTP/1.1 200')) resolve()
      else reject(new Error(head.slice(0, 40)))
    })
    let rest = ''
    socket.on('data', (chunk: string) => {
      const arrivedAt = now()
      const text = rest + chunk
      const whole = text.lastIndexOf('\n') + 1
      rest = text.slice(whole)
      for (let at = text.indexOf(MARK); at >= 0 && at < whole; at = text.indexOf(MARK, at + 1)) {
        heard(arrivedAt - Number.parseFloat(text.slice(at + MARK.length, at + MARK.length + 20)))
      }
    })
  })
}

async function main(): Promise<void> {
  const delays: number[] = []
  for (let i = 0; i < plan.watchers; i++) await watch((delayMs) => delays.push(delayMs))
  process.stdout.write('open\n')
  const all = plan.watchers * plan.events
  for (let waited = 0; delays.length < all && waited < plan.patienceMs; waited += 100) await sleep(100)
  delays.sort((a, b) => a - b)
  const share = (part: number): number => delays[Math.floor(delays.length * part)] ?? Infinity
  const delivered: Delivered = { p50Ms: share(0.5), p99Ms: share(0.99), missing: all - delays.length }
  process.stdout.write(`${JSON.stringify(delivered)}\n`, () => process.exit())
}

await main()
