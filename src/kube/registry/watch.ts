/**
 * One watch: what is there, then what happens, in the store's order.
 *
 * Frames are made once per event and shared by all watchers of the same form. A watcher whose reader is
 * slow keeps a short queue; when that is full it forgets the live events and fetches them from the store's
 * history later, so it costs neither memory nor anybody's time. A reader that takes nothing at all for a
 * minute is dropped.
 */
import { expired, internal, StatusError } from '../../apimachinery/errors/index.js'
import {
  Compacted,
  type KeyValue,
  type Storage,
  type StorageEvent,
  type StorageWatch,
} from '../storage/interface.js'
import { withResourceVersion } from './bytes.js'
import { type Clock } from './clock.js'
import { type FrameRing } from './frames.js'
import { type Pace } from './pace.js'
import { type Filter } from './selectors.js'
import { type MaybePromise, type Served } from './served.js'

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED'

/** How events look on the wire: JSON, Table, PartialObjectMetadata. */
export interface FrameForm {
  /** Watches with equal texts share frames; undefined shares nothing. */
  readonly shared: string | undefined
  /** @param wire the object as JSON of the served version */
  event(type: EventType, wire: Buffer, key: string): Buffer
  bookmark(revision: number, initialEventsEnd: boolean): Buffer
  error(error: StatusError): Buffer
}

export interface WatchSink {
  /** Frames follow each other in a stream of bytes, so several may come as one. */
  readonly joins?: boolean
  /** @returns false when the reader has to catch up first; `resume` of the watch tells when it has */
  frame(bytes: Buffer): boolean
  /** No more frames. */
  end(): void
}

export interface WatchStart {
  /** Objects to send first; the watch goes on after `revision`. */
  initial: readonly KeyValue[]
  revision: number
  /** Mark the end of `initial` by a bookmark. */
  markInitialEnd: boolean
}

export interface WatchRequest {
  namespace: string
  filter: Filter
  form: FrameForm
  bookmarks: boolean
  timeoutMs: number
}

const BOOKMARK_MS = 60_000
/** The last bookmark comes this long before the end. */
const BOOKMARK_LEAD_MS = 2_000
const STALL_MS = 60_000
const QUEUE_BYTES = 512 * 1024
const QUEUE_FRAMES = 1000
/** Frames that wait go out together up to here: what a write costs hardly depends on what is in it. */
const JOINED_BYTES = 16 * 1024

/** A frame whose conversion is under way. */
interface Pending {
  bytes: Buffer | undefined
}

export class Watch {
  #initial: readonly KeyValue[]
  #sent = 0
  #markInitialEnd: boolean
  /** All events up to here have been queued, sent, or were of no interest. */
  #position: number
  #queue: (Buffer | Pending)[] = []
  #queued = 0
  #full = false
  #source: StorageWatch | undefined
  #attached = false
  #closed = false
  readonly #ring: FrameRing | undefined
  readonly #timers = new Set<() => void>()
  #stall: (() => void) | undefined

  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
    readonly resource: Served,
    private readonly request: WatchRequest,
    start: WatchStart,
    private readonly sink: WatchSink,
    private readonly onClose: () => void,
    private readonly pace: Pace,
  ) {
    this.#initial = start.initial
    this.#markInitialEnd = start.markInitialEnd
    this.#position = start.revision
    this.#ring = request.form.shared === undefined ? undefined : resource.frames(request.form.shared)
  }

  /** Sends what is news, which many others may get too. */
  readonly #goOn = (): void => {
    if (!this.#full && !this.#closed && this.pace.admits(this.#goOn)) this.#pump()
  }

  /** Sends what is there; call once. */
  open(): void {
    const { timeoutMs, bookmarks } = this.request
    this.#after(timeoutMs, () => this.end())
    if (bookmarks) {
      if (timeoutMs > BOOKMARK_LEAD_MS) this.#after(timeoutMs - BOOKMARK_LEAD_MS, () => this.#bookmark())
      const again = (): void => {
        this.#bookmark()
        this.#after(BOOKMARK_MS, again)
      }
      if (timeoutMs > BOOKMARK_MS) this.#after(BOOKMARK_MS, again)
    }
    this.#pump()
  }

  resume(): void {
    if (this.#closed) return
    this.#full = false
    this.#stall?.()
    this.#stall = undefined
    this.#pump()
  }

  /** Ends the stream as a watch ends that has reached its time. */
  end(): void {
    if (this.#closed) return
    this.#sendQueue()
    this.close()
    this.sink.end()
  }

  /** Frees everything; the sink is not called any more. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#source?.close()
    for (const cancel of this.#timers) cancel()
    this.#stall?.()
    this.#queue = []
    this.#initial = []
    this.onClose()
  }

  #after(ms: number, action: () => void): void {
    const cancel = this.clock.after(ms, () => {
      this.#timers.delete(cancel)
      if (!this.#closed) action()
    })
    this.#timers.add(cancel)
  }

  #fail(error: StatusError): void {
    if (this.#closed) return
    this.#sendQueue()
    this.sink.frame(this.request.form.error(error))
    this.end()
  }

  /** Sends queued frames, then initial objects, then attaches to the store; as far as the reader follows. */
  #pump(): void {
    while (!this.#full && !this.#closed) {
      if (this.#queue.length > 0) {
        this.#sendQueue()
        if (this.#queue.length > 0) return // The reader, or a conversion, calls again.
      } else if (this.#sent < this.#initial.length) {
        const entry = this.#initial[this.#sent++]
        if (entry) this.#push(this.#frame('ADDED', entry.value, entry.key))
      } else if (this.#markInitialEnd) {
        this.#markInitialEnd = false
        this.#initial = []
        if (this.request.bookmarks) this.#send(this.request.form.bookmark(this.#position, true))
      } else if (!this.#attached) this.#attach()
      else return
    }
  }

  #sendQueue(): void {
    while (!this.#full && !this.#closed) {
      const ready: Buffer[] = []
      let size = 0
      for (const next of this.#queue) {
        const bytes = Buffer.isBuffer(next) ? next : next.bytes
        if (!bytes || (size > 0 && (!this.sink.joins || size + bytes.length > JOINED_BYTES))) break
        ready.push(bytes)
        size += bytes.length
      }
      const [first] = ready
      if (!first) return
      this.#queue.splice(0, ready.length)
      this.#queued -= size
      this.#send(ready.length === 1 ? first : (this.#ring?.joined(ready) ?? Buffer.concat(ready, size)))
    }
  }

  #send(bytes: Buffer): void {
    if (this.sink.frame(bytes)) return
    this.#full = true
    this.#stall?.()
    this.#stall = this.clock.after(STALL_MS, () => this.end())
  }

  #push(frame: MaybePromise<Buffer>): void {
    if (this.#closed) return
    if (Buffer.isBuffer(frame)) {
      this.#queue.push(frame)
      this.#queued += frame.length
      return
    }
    const slot: Pending = { bytes: undefined }
    this.#queue.push(slot)
    frame.then(
      (bytes) => {
        slot.bytes = bytes
        this.#queued += bytes.length
        this.#pump()
      },
      (error: unknown) =>
        this.#fail(error instanceof StatusError ? error : internal('an object cannot be converted')),
    )
  }

  /** Joins the store's stream behind `position`. */
  #attach(): void {
    this.#attached = true
    const from = Math.min(this.#position, this.storage.revision)
    try {
      const source = this.storage.watch(this.#prefix(), from, {
        events: (events) => this.#events(events),
        ended: () => this.end(),
      })
      if (this.#closed || !this.#attached) source.close()
      else this.#source = source
    } catch (error) {
      if (!(error instanceof Compacted)) throw error
      this.#fail(expired(`too old resource version: ${this.#position} (${error.oldest})`))
    }
  }

  #prefix(): string {
    const { namespace, filter } = this.request
    const prefix = this.resource.keysPrefix(namespace)
    const single = filter.name !== undefined && (namespace !== '' || !this.resource.definition.namespaced)
    return single ? prefix + filter.name : prefix
  }

  #events(events: readonly StorageEvent[]): void {
    for (const event of events) {
      if (this.#closed || !this.#attached) return
      if (event.revision <= this.#position) continue
      this.#position = event.revision
      this.#event(event)
      if (this.#queued > JOINED_BYTES) this.#goOn()
      if (this.#queued > QUEUE_BYTES || this.#queue.length > QUEUE_FRAMES) {
        // History keeps the rest until the reader has caught up.
        this.#attached = false
        this.#source?.close()
        this.#source = undefined
        break
      }
    }
    if (this.#queue.length > 0) this.#goOn()
  }

  #event(event: StorageEvent): void {
    const { filter } = this.request
    const { key, value, previous, revision } = event
    if (filter.everything) {
      const type = event.type === 'delete' ? 'DELETED' : previous ? 'MODIFIED' : 'ADDED'
      return this.#push(this.#shared(revision, type, value, key))
    }
    const before = previous !== undefined && filter.matches(key, previous.value)
    if (event.type === 'delete') {
      if (before) this.#push(this.#shared(revision, 'DELETED', value, key))
      return
    }
    if (filter.matches(key, value)) {
      this.#push(this.#shared(revision, before ? 'MODIFIED' : 'ADDED', value, key))
    } else if (before && previous) {
      // Left the selection: the old object with the revision of the change.
      this.#push(this.#shared(revision, 'DELETED', withResourceVersion(previous.value, revision), key))
    }
  }

  #shared(revision: number, type: EventType, value: Buffer, key: string): MaybePromise<Buffer> {
    const ring = this.#ring
    if (!ring) return this.#frame(type, value, key)
    return ring.get(revision, type) ?? ring.set(revision, type, this.#frame(type, value, key))
  }

  #frame(type: EventType, value: Buffer, key: string): MaybePromise<Buffer> {
    const wire = this.resource.wire(value)
    const { form } = this.request
    return wire instanceof Promise
      ? wire.then((bytes) => form.event(type, bytes, key))
      : form.event(type, wire, key)
  }

  #bookmark(): void {
    // Safe only when everything up to now is on its way to this reader.
    this.#sendQueue()
    if (!this.#attached || this.#full || this.#queue.length > 0) return
    this.#send(this.request.form.bookmark(Math.max(this.storage.revision, this.#position), false))
  }
}
