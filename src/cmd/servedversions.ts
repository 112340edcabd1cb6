/**
 * Which versions of a group the Kubernetes API serves, asked group by group, so that one broken API harms nothing
 * else. Until a version has been asked about it counts as not served.
 */
import { send, type Transport } from '../client/transport.js'
import { type Logger } from '../serving/log.js'

interface Resource {
  group: string
  version: string
  resource: string
}

/** Kinds that newer clusters serve in another version than older ones. */
const ASKED: readonly { group: string; versions: readonly string[] }[] = [
  { group: 'batch', versions: ['v1beta1', 'v1'] },
  { group: 'autoscaling', versions: ['v2beta2', 'v2'] },
  { group: 'notification.kubesphere.io', versions: ['v2beta1', 'v2beta2'] },
]

const REFRESH_MS = 60_000
const TIMEOUT_MS = 5_000

export class ServedVersions {
  readonly #transport: Transport
  readonly #logger: Logger
  readonly #served = new Set<string>()
  readonly #timer: NodeJS.Timeout

  constructor(transport: Transport, logger: Logger) {
    this.#transport = transport
    this.#logger = logger
    this.#timer = setInterval(() => void this.refresh(), REFRESH_MS)
    this.#timer.unref()
  }

  has({ group, version, resource }: Resource): boolean {
    return this.#served.has(`${group}/${version}/${resource}`)
  }

  /** Never rejects: what cannot be asked keeps its last answer. */
  async refresh(): Promise<void> {
    await Promise.all(
      ASKED.flatMap(({ group, versions }) => versions.map((version) => this.#ask(group, version))),
    )
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #ask(group: string, version: string): Promise<void> {
    const path = `/apis/${group}/${version}`
    try {
      const request = { method: 'GET', path, headers: { accept: 'application/json' } }
      const { status, body } = await send(this.#transport, request, AbortSignal.timeout(TIMEOUT_MS))
      if (status !== 200 && status !== 404) return
      const { resources = [] } =
        status === 404 ? {} : (JSON.parse(body.toString('utf8')) as { resources?: { name: string }[] })
      for (const known of [...this.#served])
        if (known.startsWith(`${group}/${version}/`)) this.#served.delete(known)
      for (const { name } of resources) this.#served.add(`${group}/${version}/${name}`)
    } catch (error) {
      this.#logger.debug({ path, err: error }, 'discovery failed')
    }
  }
}
