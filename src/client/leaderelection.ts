/**
 * Leader election over a Lease, coordination.k8s.io/v1.
 *
 * Whoever holds the lease renews it with optimistic writes; a conflict means that another was faster. A
 * lease counts as expired by our own clock, from when we last saw it change, so clocks need not agree. A
 * leader that cannot renew in time stops leading before others may begin.
 */
import { isConflict, isAlreadyExists, isNotFound } from '../apimachinery/errors/index.js'
import { type KubeObject, type UserInfo } from '../apimachinery/meta/types.js'
import { errorOf } from './answer.js'
import { pause, systemClock, type Clock } from './clock.js'
import { type Logger } from './log.js'
import { send, type Transport } from './transport.js'

export interface LeaderElectionOptions {
  transport: Transport
  namespace: string
  name: string
  /** Unique among the candidates. */
  identity: string
  logger: Logger
  /** Ends the election; a lease held is given up, so that the next need not wait. */
  signal: AbortSignal
  onLeading: () => void
  /** We led and no longer may; called once, at the end, unless the signal ended it. */
  onLost: () => void
  onNewLeader?: (identity: string) => void
  /** Who asks, where the transport is in process. */
  user?: UserInfo
  /** How long others wait after the last renewal. */
  leaseMs?: number
  /** How long the leader tries to renew before it gives up; less than `leaseMs`. */
  renewMs?: number
  retryMs?: number
  clock?: Clock
  random?: () => number
}

interface LeaseSpec {
  holderIdentity?: string
  leaseDurationSeconds?: number
  acquireTime?: string
  renewTime?: string
  leaseTransitions?: number
}

type Lease = KubeObject & { spec?: LeaseSpec }

/** Settles when leadership was lost or the signal aborted. */
export async function runLeaderElection(options: LeaderElectionOptions): Promise<void> {
  const election = new Election(options)
  await election.run()
}

class Election {
  readonly #options: LeaderElectionOptions
  readonly #clock: Clock
  readonly #leaseMs: number
  readonly #renewMs: number
  readonly #retryMs: number
  readonly #path: string
  /** The lease as last seen, and when by our clock. */
  #lease: Lease | undefined
  #seenAt = 0
  #leader = ''

  constructor(options: LeaderElectionOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#leaseMs = options.leaseMs ?? 15_000
    this.#renewMs = options.renewMs ?? 10_000
    this.#retryMs = options.retryMs ?? 2_000
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`
  }

  async run(): Promise<void> {
    const { signal, logger, onLeading, onLost, name, identity } = this.#options
    while (!(await this.#try())) {
      if (!(await this.#wait())) return
    }
    logger.info({ lease: name, identity }, 'leading')
    onLeading()
    let renewedAt = this.#clock.now()
    while (await this.#wait()) {
      const begunAt = this.#clock.now()
      if (await this.#try(renewedAt + this.#renewMs - begunAt)) renewedAt = begunAt
      else if (this.#clock.now() - renewedAt >= this.#renewMs || this.#isOther()) {
        if (signal.aborted) break
        logger.error({ lease: name, identity, holder: this.#holder() }, 'leadership was lost')
        onLost()
        return
      }
    }
    await this.#release()
  }

  /** @returns false when the election is over */
  async #wait(): Promise<boolean> {
    const { signal, random = Math.random } = this.#options
    await pause(this.#clock, this.#retryMs * (1 + 0.2 * random()), signal)
    return !signal.aborted
  }

  /** @returns whether we hold the lease now */
  async #try(withinMs = this.#renewMs): Promise<boolean> {
    const { signal, logger, name } = this.#options
    const attempt = new AbortController()
    const onAbort = (): void => attempt.abort(signal.reason)
    if (signal.aborted) return false
    signal.addEventListener('abort', onAbort, { once: true })
    const timer = this.#clock.setTimeout(
      () => attempt.abort(new Error('the API did not answer in time')),
      Math.max(1, withinMs),
    )
    try {
      return await this.#acquire(attempt.signal)
    } catch (error) {
      if (!signal.aborted && !isConflict(error) && !isAlreadyExists(error)) {
        logger.warn(
          { lease: name, error: (error as Error).message },
          'the lease could not be read or written',
        )
      }
      return false
    } finally {
      this.#clock.clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }

  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { identity, name, namespace } = this.#options
    const now = microTime(this.#clock.now())
    const held = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#leaseMs / 1000),
      renewTime: now,
    }
    let lease
    try {
      lease = await this.#request('GET', name, undefined, signal)
    } catch (error) {
      if (!isNotFound(error)) throw error
      this.#see(
        await this.#request(
          'POST',
          '',
          {
            apiVersion: 'coordination.k8s.io/v1',
            kind: 'Lease',
            metadata: { name, namespace },
            spec: { ...held, acquireTime: now, leaseTransitions: 0 },
          },
          signal,
        ),
      )
      return true
    }
    this.#see(lease)
    const spec = lease.spec ?? {}
    const holder = spec.holderIdentity ?? ''
    const expired = this.#clock.now() - this.#seenAt >= (spec.leaseDurationSeconds ?? 0) * 1000
    if (holder !== identity && holder !== '' && !expired) return false
    const taken =
      holder === identity
        ? { ...spec, ...held }
        : { ...spec, ...held, acquireTime: now, leaseTransitions: (spec.leaseTransitions ?? 0) + 1 }
    this.#see(await this.#request('PUT', name, { ...lease, spec: taken }, signal))
    return true
  }

  /** Lets go of a lease that is ours. Whoever waits takes it at once. */
  async #release(): Promise<void> {
    const { identity, name, logger } = this.#options
    const lease = this.#lease
    if (lease?.spec?.holderIdentity !== identity) return
    try {
      const now = microTime(this.#clock.now())
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now }
      await this.#request('PUT', name, { ...lease, spec }, AbortSignal.timeout(this.#retryMs))
    } catch (error) {
      logger.debug({ lease: name, error: (error as Error).message }, 'the lease was left to expire')
    }
  }

  #see(lease: Lease): void {
    const known = this.#lease?.metadata
    if (known?.resourceVersion !== lease.metadata.resourceVersion || known?.uid !== lease.metadata.uid) {
      this.#lease = lease
      this.#seenAt = this.#clock.now()
    }
    const holder = this.#holder()
    if (holder === this.#leader) return
    this.#leader = holder
    if (holder !== '') this.#options.onNewLeader?.(holder)
  }

  #holder(): string {
    return this.#lease?.spec?.holderIdentity ?? ''
  }

  #isOther(): boolean {
    return this.#holder() !== '' && this.#holder() !== this.#options.identity
  }

  async #request(
    method: string,
    name: string,
    body: object | undefined,
    signal: AbortSignal,
  ): Promise<Lease> {
    const { transport, user } = this.#options
    const answer = await send(
      transport,
      {
        method,
        path: name === '' ? this.#path : `${this.#path}/${name}`,
        headers: { accept: 'application/json', 'content-type': 'application/json' },
        ...(body !== undefined && { body: Buffer.from(JSON.stringify(body)) }),
        ...(user !== undefined && { user }),
      },
      signal,
    )
    if (answer.status < 200 || answer.status > 299) throw errorOf(answer.status, answer.body)
    const parsed: unknown = JSON.parse(answer.body.toString())
    if (typeof (parsed as Lease | undefined)?.metadata?.name !== 'string') {
      throw new Error('the answer is not a Lease')
    }
    return parsed as Lease
  }
}

/** `2024-01-01T00:00:00.500000Z`: servers refuse any other number of digits. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}
