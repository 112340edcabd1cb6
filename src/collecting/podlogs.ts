/**
 * Follows the logs of running containers, within limits: so many containers at once, so many lines of each.
 *
 * A container is followed once for each time it starts. What it wrote while this process was not there is not
 * collected. A broken connection is taken up where it broke, by the time of the last line.
 */
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type InformerSet } from '../client/cache/interface.js'
import { type Dispatched, type Transport } from '../client/transport.js'
import { type RecordBatches } from './batches.js'
import { LogLines } from './loglines.js'

export interface PodLogOptions {
  informers: Pick<InformerSet, 'informer'>
  transport: Transport
  batches: RecordBatches
  /** Most containers at once; others wait until one ends. */
  followedContainers: number
  /** Kept of one container, on average. */
  linesPerSecond: number
  now?: () => number
}

interface Container {
  key: string
  namespace: string
  pod: string
  name: string
  id: string
  isRunning: boolean
}

interface PodObject extends KubeObject {
  status?: {
    containerStatuses?: {
      name: string
      containerID?: string
      restartCount?: number
      state?: { running?: object; terminated?: object }
    }[]
  }
}

const PODS = { group: '', version: 'v1', resource: 'pods' }
const RETRY_MS = [1_000, 2_000, 5_000, 10_000, 30_000]
/** Lines that may come at once after a pause, in seconds of the limit. */
const BURST_SECONDS = 10

export class PodLogs {
  readonly #informer
  readonly #startedAt: number
  readonly #now: () => number
  /** Pod → the starts of its containers that are being followed, wait, or have been read to their end. */
  readonly #known = new Map<string, Map<string, Follower | 'ended'>>()
  readonly #waiting = new Set<Container>()
  readonly #unsubscribe: () => void
  #following = 0
  #isClosed = false
  /** Lines beyond the limit of their container. */
  skipped = 0

  constructor(private readonly options: PodLogOptions) {
    this.#now = options.now ?? Date.now
    this.#startedAt = this.#now()
    this.#informer = options.informers.informer(PODS)
    for (const object of this.#informer.store.byName())
      this.#look(this.#informer.store.object<PodObject>(object))
    this.#unsubscribe = this.#informer.onChange(({ type, object }) => {
      if (type === 'deleted') this.#forget(`${object.namespace}/${object.name}`)
      else this.#look(this.#informer.store.object<PodObject>(object))
    })
  }

  get following(): number {
    return this.#following
  }

  get waiting(): number {
    return this.#waiting.size
  }

  close(): void {
    this.#isClosed = true
    this.#unsubscribe()
    for (const pod of [...this.#known.keys()]) this.#forget(pod)
  }

  #look(pod: Readonly<PodObject>): void {
    const path = `${pod.metadata.namespace}/${pod.metadata.name}`
    const containers = containersOf(pod)
    const keys = new Set(containers.map(({ key }) => key))
    // A container that has started again is another: what is read of the one before comes to its end.
    for (const [key, follower] of this.#known.get(path) ?? [])
      if (follower instanceof Follower && !keys.has(key)) follower.isRunning = false
    for (const container of containers) {
      const known = this.#known.get(path) ?? new Map<string, Follower | 'ended'>()
      this.#known.set(path, known)
      const follower = known.get(container.key)
      if (follower instanceof Follower) follower.isRunning = container.isRunning
      if (follower !== undefined) continue
      if (this.#isOld(pod) && !container.isRunning) known.set(container.key, 'ended')
      else this.#start(container, known)
    }
  }

  #isOld({ metadata }: Readonly<PodObject>): boolean {
    return Date.parse(metadata.creationTimestamp ?? '') < this.#startedAt - 1_000
  }

  #start(container: Container, known: Map<string, Follower | 'ended'>): void {
    for (const other of this.#waiting) if (other.key === container.key) this.#waiting.delete(other)
    if (this.#following >= this.options.followedContainers) {
      this.#waiting.add(container)
      return
    }
    this.#following++
    const follower = new Follower(container, this.options, {
      since: this.#startedAt,
      now: this.#now,
      skip: () => void this.skipped++,
      ended: () => {
        known.set(container.key, 'ended')
        this.#following--
        this.#next()
      },
    })
    known.set(container.key, follower)
    follower.follow()
  }

  #next(): void {
    if (this.#isClosed) return
    for (const container of this.#waiting) {
      if (this.#following >= this.options.followedContainers) return
      this.#waiting.delete(container)
      const known = this.#known.get(`${container.namespace}/${container.pod}`)
      if (known) this.#start(container, known)
    }
  }

  #forget(path: string): void {
    const known = this.#known.get(path)
    this.#known.delete(path)
    for (const container of this.#waiting)
      if (`${container.namespace}/${container.pod}` === path) this.#waiting.delete(container)
    for (const follower of known?.values() ?? []) if (follower instanceof Follower) follower.stop()
  }
}

function containersOf({ metadata, status }: Readonly<PodObject>): Container[] {
  return (status?.containerStatuses ?? []).flatMap(({ name, containerID = '', restartCount = 0, state }) =>
    state?.running || state?.terminated
      ? [
          {
            key: `${metadata.uid}/${name}/${restartCount}`,
            namespace: metadata.namespace ?? '',
            pod: metadata.name ?? '',
            name,
            id: containerID.replace(/^.*:\/\//, ''),
            isRunning: state.running !== undefined,
          },
        ]
      : [],
  )
}

interface FollowerHooks {
  /** Milliseconds; what was written before is not collected. */
  since: number
  now: () => number
  skip: () => void
  ended: () => void
}

/** One start of one container. */
class Follower {
  isRunning: boolean
  #dispatched: Dispatched | undefined
  #timer: NodeJS.Timeout | undefined
  #isOver = false
  #failures = 0
  #last = ''
  #allowance: number
  #refilledAt: number

  constructor(
    private readonly container: Container,
    private readonly options: PodLogOptions,
    private readonly hooks: FollowerHooks,
  ) {
    this.isRunning = container.isRunning
    this.#allowance = options.linesPerSecond * BURST_SECONDS
    this.#refilledAt = hooks.now()
  }

  follow(): void {
    const { namespace, pod, name } = this.container
    const query = new URLSearchParams({ container: name, follow: 'true', timestamps: 'true' })
    query.set('sinceTime', this.#last === '' ? new Date(this.hooks.since).toISOString() : this.#last)
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log?${query.toString()}`
    const resumedAfter = this.#last
    const lines = new LogLines(({ time, text }) => {
      // Servers know whole seconds of `sinceTime` alone.
      if (resumedAfter !== '' && sortable(time) <= sortable(resumedAfter)) return
      this.#last = time
      this.#take(time, text)
    })
    let status = 0
    this.#dispatched = this.options.transport.dispatch(
      { method: 'GET', path, headers: { accept: '*/*' } },
      {
        head: (code) => (status = code),
        data: (chunk) => {
          if (status === 200) lines.push(chunk)
          return true // What is too much is skipped, not held back.
        },
        end: () => this.#ended(status === 200),
        fail: () => this.#ended(false),
      },
    )
  }

  stop(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#dispatched?.abort()
    this.hooks.ended()
  }

  #take(time: string, log: string): void {
    const { linesPerSecond, batches } = this.options
    const now = this.hooks.now()
    const refill = ((now - this.#refilledAt) / 1_000) * linesPerSecond
    this.#allowance = Math.min(this.#allowance + refill, linesPerSecond * BURST_SECONDS)
    this.#refilledAt = now
    if (this.#allowance < 1) return this.hooks.skip()
    this.#allowance--
    const { namespace, pod, name, id } = this.container
    const kubernetes = { namespace_name: namespace, pod_name: pod, container_name: name, docker_id: id }
    batches.add({ log, time, kubernetes })
  }

  /** A container that goes on is taken up again; one that has ended is not, once it has been read. */
  #ended(wasRead: boolean): void {
    if (this.#isOver) return
    if (wasRead && !this.isRunning) return this.stop()
    this.#failures = wasRead ? 0 : this.#failures + 1
    if (!this.isRunning && this.#failures > RETRY_MS.length) return this.stop()
    const delay = RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)]
    this.#timer = setTimeout(() => {
      if (wasRead && !this.isRunning) this.stop()
      else this.follow()
    }, delay).unref()
  }
}

/** Fractions of seconds come with as many digits as they need. */
function sortable(time: string): string {
  return time.replace(/(?:\.(\d+))?Z$/, (_, fraction: string = '') => `.${fraction.padEnd(9, '0')}Z`)
}
