/**
 * What the exporters of a real cluster would tell of this one, for a Prometheus on the same machine: `/kube-state-metrics`,
 * `/kubelet` and `/node-exporter`. Answers loopback only, and only who knows the token.
 */
import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { type RestClient } from '../../client/rest.js'
import { type Logger } from '../../client/log.js'
import { readUsages, type Usages } from '../sampling/usage.js'
import { Machines } from './machines.js'
import { objectsText, type StoreOf } from './objects.js'

export const EXPOSED = ['kube-state-metrics', 'kubelet', 'node-exporter'] as const
type Job = (typeof EXPOSED)[number]

export interface ExpositionOptions {
  token: string
  client: RestClient
  store: StoreOf
  /** @throws the signal's reason */
  ready: (signal: AbortSignal) => Promise<void>
  logger: Logger
  now: () => Date
}

const TIMEOUT_MS = 10_000
const NOBODY: Usages = { nodes: new Map(), pods: new Map() }

export class ExpositionServer {
  readonly #server: Server
  readonly #machines = new Machines()
  readonly #stop = new AbortController()
  readonly #expected: Buffer

  constructor(private readonly options: ExpositionOptions) {
    this.#expected = Buffer.from(`Bearer ${options.token}`)
    this.#server = createServer((request, response) => {
      request.resume()
      void this.#answer(request).then(
        ({ status, text }) => response.writeHead(status, { 'content-type': 'text/plain' }).end(text),
        (error: unknown) => {
          if (!this.#stop.signal.aborted) options.logger.warn({ err: error }, 'a scrape failed')
          response.writeHead(503).end()
        },
      )
    })
  }

  /** @returns `host:port` */
  async listen(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#stop.abort()
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  async #answer({ url = '', headers }: IncomingMessage): Promise<{ status: number; text: string }> {
    const given = Buffer.from(headers.authorization ?? '')
    if (given.length !== this.#expected.length || !timingSafeEqual(given, this.#expected))
      return { status: 401, text: '' }
    const job = EXPOSED.find((one) => url === `/${one}`)
    return job ? { status: 200, text: await this.#text(job) } : { status: 404, text: '' }
  }

  async #text(job: Job): Promise<string> {
    const { client, store, ready, now } = this.options
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TIMEOUT_MS)])
    await ready(signal)
    if (job === 'kube-state-metrics') return objectsText(store)
    const usages = (await readUsages(client, signal)) ?? NOBODY
    const seconds = now().getTime() / 1_000
    return job === 'kubelet'
      ? this.#machines.kubelets(store, usages, seconds)
      : this.#machines.exporters(store, usages, seconds)
  }
}
