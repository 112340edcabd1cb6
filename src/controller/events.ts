/**
 * Events: what a controller tells people about an object, as core/v1 Event objects.
 *
 * Recording never waits and never fails. Events wait in a bounded queue for one writer; what comes again while it
 * waits is counted, and what comes again after it was written raises the count of the Event that is there. Events
 * beyond the bound, and those the API refuses, are dropped: they tell of a state that can be read elsewhere.
 */
import { isNotFound } from '../apimachinery/errors/index.js'
import { formatTime } from '../apimachinery/meta/time.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type ResourceClient, type RestClient } from '../client/rest.js'
import { breathe } from './breathe.js'
import { type Logger } from './types.js'

export type EventType = 'Normal' | 'Warning'

/** What an Event is about; objects of a cache carry neither `kind` nor `apiVersion`. */
export interface EventSubject {
  apiVersion: string
  kind: string
  metadata: Readonly<KubeObject['metadata']>
}

/** Tells of the objects that one controller works on. */
export interface EventRecorder {
  event(about: EventSubject, type: EventType, reason: string, message: string): void
}

export interface EventObject extends KubeObject {
  involvedObject: Record<string, string>
  type: string
  reason: string
  message: string
  source: { component: string }
  firstTimestamp: string
  lastTimestamp: string
  count: number
}

export interface EventWriterOptions {
  client: RestClient
  logger: Logger
  now?: () => number
  /** Different events that may wait. */
  limit?: number
  /** Written Events that are remembered to be counted up. */
  memory?: number
}

interface Waiting {
  key: string
  event: EventObject
  /** How often it came since it was last written. */
  times: number
}

interface Written {
  name: string
  count: number
}

/** Where Events about cluster-scoped objects are. */
const CLUSTER_SCOPED = 'default'
/** Leaves room for the suffix in the 253 characters of a name. */
const NAME_LIMIT = 230
const WRITE_TIMEOUT_MS = 10_000

export class EventWriter {
  readonly #events: ResourceClient<EventObject>
  readonly #logger: Logger
  readonly #now: () => number
  readonly #limit: number
  readonly #memory: number
  readonly #waiting = new Map<string, Waiting>()
  /** The least recently written first. */
  readonly #written = new Map<string, Written>()
  readonly #stop = new AbortController()
  #writing: Promise<void> | undefined
  #serial = 0

  constructor({ client, logger, now = Date.now, limit = 1_000, memory = 4_000 }: EventWriterOptions) {
    this.#events = client.resource<EventObject>({
      group: '',
      version: 'v1',
      resource: 'events',
      kind: 'Event',
    })
    this.#logger = logger
    this.#now = now
    this.#limit = limit
    this.#memory = memory
  }

  /** @param component the controller's name, shown as the source */
  recorder(component: string): EventRecorder {
    return {
      event: (about, type, reason, message) => this.#add(component, about, type, reason, message),
    }
  }

  /** Settles when nothing waits. */
  async drained(): Promise<void> {
    await this.#writing
  }

  /** Drops what waits. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('events are no longer written'))
    this.#waiting.clear()
    await this.#writing
  }

  #add(component: string, about: EventSubject, type: EventType, reason: string, message: string): void {
    if (this.#stop.signal.aborted) return
    const { name = '', uid = '', namespace = '', resourceVersion = '' } = about.metadata
    const key = [component, about.apiVersion, about.kind, namespace, name, uid, type, reason, message].join(
      '\0',
    )
    const now = this.#now()
    const time = formatTime(new Date(now))
    const known = this.#waiting.get(key)
    if (known) {
      known.times++
      known.event.lastTimestamp = time
      return
    }
    if (this.#waiting.size >= this.#limit) {
      this.#logger.debug({ component, kind: about.kind, namespace, name, reason }, 'event dropped')
      return
    }
    const event: EventObject = {
      metadata: {
        name: `${name.slice(0, NAME_LIMIT)}.${this.#suffix(now)}`,
        namespace: namespace === '' ? CLUSTER_SCOPED : namespace,
      },
      involvedObject: {
        kind: about.kind,
        ...(namespace !== '' && { namespace }),
        name,
        uid,
        apiVersion: about.apiVersion,
        resourceVersion,
      },
      reason,
      message,
      source: { component },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
      type,
    }
    this.#waiting.set(key, { key, event, times: 1 })
    this.#writing ??= this.#write()
  }

  /** Nanoseconds since the epoch, of which we only know the milliseconds: the rest keeps names apart. */
  #suffix(now: number): string {
    return (BigInt(Math.trunc(now)) * 1_000_000n + BigInt(this.#serial++ % 1_000_000)).toString(16)
  }

  async #write(): Promise<void> {
    await Promise.resolve() // What is recorded in the same breath is counted together.
    for (;;) {
      const [first] = this.#waiting.values()
      if (first === undefined) break
      this.#waiting.delete(first.key)
      await breathe()
      try {
        await this.#store(first)
      } catch (error) {
        const { involvedObject, reason } = first.event
        if (!this.#stop.signal.aborted)
          this.#logger.debug({ ...involvedObject, reason, error }, 'event not written')
      }
    }
    this.#writing = undefined
  }

  async #store({ key, event, times }: Waiting): Promise<void> {
    const { namespace = '' } = event.metadata
    const call = { namespace, signal: this.#stop.signal, timeoutMs: WRITE_TIMEOUT_MS }
    const earlier = this.#written.get(key)
    this.#written.delete(key)
    if (earlier) {
      const count = earlier.count + times
      try {
        await this.#events.patch(earlier.name, 'merge', { count, lastTimestamp: event.lastTimestamp }, call)
        return this.#remember(key, { name: earlier.name, count })
      } catch (error) {
        if (!isNotFound(error)) throw error // Gone: Events do not live long. A new one begins.
      }
    }
    await this.#events.create({ ...event, count: times }, call)
    this.#remember(key, { name: event.metadata.name ?? '', count: times })
  }

  #remember(key: string, written: Written): void {
    this.#written.set(key, written)
    if (this.#written.size <= this.#memory) return
    const [oldest] = this.#written.keys()
    if (oldest !== undefined) this.#written.delete(oldest)
  }
}
