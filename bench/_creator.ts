/**
 * Clients that create objects, as a process of its own: each waits for its answer, then sends the next on the same
 * connection. Written on plain sockets, so that on two cores the server is what is measured.
 *
 * Reads a `CreatorPlan` from its one argument, writes `Created` to its output.
 */
import { randomBytes } from 'node:crypto'
import { connect, type TLSSocket } from 'node:tls'

export interface CreatorPlan {
  url: string
  headers: Record<string, string>
  tls: { cert?: string; key?: string }
  path: string
  /** The object as JSON; the value "NAME" in it is replaced by a name of its own. */
  object: string
  clients: number
  /** Before anything counts. */
  warmMs: number
  measureMs: number
  /** So many instead, with nothing before. */
  total?: number
}

export interface Created {
  perSecond: number
  p50Ms: number
  p99Ms: number
  /** Answers other than 201. */
  failed: number
}

const HEAD_END = '\r\n\r\n'

class Client {
  #socket: TLSSocket | undefined
  #text = ''
  #left = 0
  #status = 0

  constructor(
    private readonly plan: CreatorPlan,
    /** The next request; undefined when there is none. */
    private readonly next: () => string | undefined,
    private readonly answered: (status: number, milliseconds: number) => void,
  ) {}

  async open(): Promise<void> {
    const { hostname: host, port } = new URL(this.plan.url)
    const options = { host, port: Number(port), ...this.plan.tls, rejectUnauthorized: false }
    const socket = connect({ ...options, ALPNProtocols: ['http/1.1'] })
    this.#socket = socket
    await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    socket.setNoDelay().setEncoding('latin1')
  }

  /** Settles when there are no more requests. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = this.#socket
      if (!socket) return reject(new Error('not open'))
      let sentAt = 0
      const send = (): void => {
        const request = this.next()
        if (request === undefined) {
          socket.destroy()
          return resolve()
        }
        sentAt = performance.now()
        socket.write(request)
      }
      socket.on('error', reject).on('close', resolve)
      socket.on('data', (piece: string) => {
        if (!this.#isComplete(piece)) return
        this.answered(this.#status, performance.now() - sentAt)
        send()
      })
      send()
    })
  }

  #isComplete(piece: string): boolean {
    if (this.#left === 0) {
      this.#text += piece
      const end = this.#text.indexOf(HEAD_END)
      if (end < 0) return false
      const head = this.#text.slice(0, end)
      this.#status = Number(head.slice(9, 12))
      const length = /content-length: (\d+)/i.exec(head)?.[1]
      const body = this.#text.length - end - HEAD_END.length
      if (length !== undefined) this.#left = Number(length) - body
      // In chunks, as large answers of some servers are.
      else if (!this.#text.endsWith('\r\n0\r\n\r\n')) return false
      this.#text = ''
    } else this.#left -= piece.length
    return this.#left === 0
  }
}

async function run(plan: CreatorPlan): Promise<Created> {
  const [before, after] = plan.object.split('"NAME"') as [string, string]
  const { host } = new URL(plan.url)
  const headers = { host, accept: 'application/json', 'content-type': 'application/json', ...plan.headers }
  const head = [
    `POST ${plan.path} HTTP/1.1`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ].join('\r\n')
  const prefix = `o${randomBytes(4).toString('hex')}-`
  let sent = 0
  let from = Infinity
  let until = 0
  const next = (): string | undefined => {
    if (plan.total === undefined ? performance.now() >= until : sent >= plan.total) return undefined
    const body = `${before}"${prefix}${sent++}"${after}`
    return `${head}\r\ncontent-length: ${body.length}${HEAD_END}${body}`
  }
  const took: number[] = []
  let failed = 0
  const answered = (status: number, milliseconds: number): void => {
    if (plan.total === undefined && (performance.now() < from || performance.now() > until)) return
    if (status === 201) took.push(milliseconds)
    else failed++
  }
  const clients = Array.from({ length: plan.clients }, () => new Client(plan, next, answered))
  await Promise.all(clients.map((client) => client.open()))
  const startedAt = performance.now()
  from = startedAt + plan.warmMs
  until = from + plan.measureMs
  await Promise.all(clients.map((client) => client.run()))
  const seconds = plan.total === undefined ? plan.measureMs / 1_000 : (performance.now() - startedAt) / 1_000
  took.sort((a, b) => a - b)
  const at = (share: number): number => took[Math.floor(took.length * share)] ?? Infinity
  return { perSecond: took.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99), failed }
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '') as CreatorPlan)))
