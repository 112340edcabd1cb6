/**
 * Keeps a target equal to one resource of the API: a paged list, then a watch from the list's resource
 * version, resumed where it broke off.
 *
 * A list is made again only when the server has forgotten the version we stand at (410). Every other
 * failure is waited out with growing, jittered pauses; nothing ends the loop but `close`. A resource that
 * the API does not serve is 'absent' and is asked for again from time to time.
 */
import { isExpired, StatusError } from '../../apimachinery/errors/index.js'
import { type KubeList, type KubeObject, type UserInfo } from '../../apimachinery/meta/types.js'
import { backoffMs, pause, type Clock } from '../clock.js'
import { type Logger } from '../log.js'
import { type Transport, type TransportRequest } from '../transport.js'
import { LineSplitter } from './lines.js'
import { ListParser } from './listparser.js'
import { receive } from './receive.js'
import { decodeWatchEvent, type WatchEvent } from './watchevent.js'

export interface ReflectorTarget {
  /** A complete list begins; it may begin again before it completes. */
  begin(): void
  /** @param raw only valid during the call. `listed` tells a list's item from a watch event. */
  put(object: KubeObject, raw: Buffer, listed: boolean): void
  remove(object: KubeObject): void
  /** Everything not put since `begin` is gone. */
  complete(): void
  readonly size: number
}

export type ReflectorState = 'waiting' | 'listing' | 'synced' | 'absent' | 'failing'

export interface ReflectorOptions {
  transport: Transport
  /** `/api/v1/pods`, `/apis/apps/v1/deployments`. */
  path: string
  target: ReflectorTarget
  logger: Logger
  clock: Clock
  random: () => number
  user?: UserInfo | undefined
  userAgent: string
  pageLimit: number
  /** How often an absent resource is asked for. */
  recheckMs: number
  onState: (state: ReflectorState, error: string | undefined) => void
}

const BACKOFF = { firstMs: 200, limitMs: 30_000 }
/** A server ends a watch after this long, drawn per watch so that many do not end together. */
const WATCH_SECONDS = { least: 300, spread: 300 }
/** A watch still open this long after its time is dead on the wire. */
const OVERDUE_MS = 30_000
/** A watch that held this long was a good one: failures before it are forgiven. */
const GOOD_WATCH_MS = 1_000
/**
 * A server that starts may answer 404 for custom resources it has yet to load. Held objects are given up
 * only after this many such answers in a row.
 */
const ABSENT_AFTER = 3
/** A definition is there a little before its resource is served: whoever was told of one looks again this soon. */
const EXPECTED_STEPS_MS = [50, 100, 200, 400, 800, 1_600, 3_200]

export class Reflector {
  readonly #options: ReflectorOptions
  readonly #closed = new AbortController()
  #nudge = new AbortController()
  #running: Promise<void> | undefined
  #state: ReflectorState = 'waiting'
  #error: string | undefined
  /** The version to watch from; undefined when a list is due. */
  #version: string | undefined
  #failures = 0
  #absences = 0
  /** Pauses to come while an absent resource is expected to appear. */
  #expected: readonly number[] = []
  #unpaged = false

  constructor(options: ReflectorOptions) {
    this.#options = options
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Ends a pause: something suggests that the next try goes better. */
  nudge(): void {
    this.#expected = EXPECTED_STEPS_MS
    this.#nudge.abort()
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('the informer was closed'))
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) {
          if (this.#state !== 'absent') this.#report('listing')
          this.#version = await this.#list(signal)
          this.#absences = 0
          this.#unpaged = false
        }
        await this.#watch(signal)
      } catch (error) {
        if (signal.aborted) break
        await this.#recover(error as Error, signal)
      }
    }
  }

  /** @returns the version that the list was read at */
  async #list(signal: AbortSignal): Promise<string> {
    const { path, pageLimit, target } = this.#options
    target.begin()
    let token = ''
    for (;;) {
      const parser = new ListParser((raw) => this.#item(raw))
      const query = new URLSearchParams()
      if (!this.#unpaged) query.set('limit', String(pageLimit))
      if (token !== '') query.set('continue', token)
      const search = query.toString()
      const request = this.#request(search === '' ? path : `${path}?${search}`)
      await receive(this.#options.transport, request, (chunk) => parser.push(chunk), signal)
      const list = parser.end() as Partial<KubeList> | null
      if (list?.metadata === undefined || !Array.isArray(list.items ?? [])) {
        throw new Error('the answer is not a list')
      }
      token = list.metadata.continue ?? ''
      if (token !== '') continue
      target.complete()
      return list.metadata.resourceVersion ?? ''
    }
  }

  #item(raw: Buffer): void {
    const object = JSON.parse(raw.toString()) as KubeObject | null
    if (typeof object?.metadata?.name !== 'string') throw new Error('a list item without a name')
    this.#options.target.put(object, raw, true)
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { path, clock, random, transport } = this.#options
    const seconds = WATCH_SECONDS.least + Math.floor(random() * WATCH_SECONDS.spread)
    const query = new URLSearchParams({
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#version ?? '',
      timeoutSeconds: String(seconds),
    })
    const attempt = new AbortController()
    const onClose = (): void => attempt.abort(signal.reason)
    signal.addEventListener('abort', onClose, { once: true })
    const overdue = clock.setTimeout(
      () => attempt.abort(new Error('the watch outlived its time')),
      seconds * 1000 + OVERDUE_MS,
    )
    const startedAt = clock.now()
    let events = 0
    const lines = new LineSplitter((line) => {
      this.#event(decodeWatchEvent(line))
      events++
    })
    // The list is whole already; a watch that cannot be opened shows as 'failing' right after.
    if (this.#failures === 0) this.#report('synced')
    try {
      await receive(
        transport,
        this.#request(`${path}?${query.toString()}`),
        (chunk) => lines.push(chunk),
        attempt.signal,
        () => this.#report('synced'),
      )
    } finally {
      clock.clearTimeout(overdue)
      signal.removeEventListener('abort', onClose)
      if (events > 0 || clock.now() - startedAt >= GOOD_WATCH_MS) this.#failures = 0
    }
    if (events === 0 && clock.now() - startedAt < GOOD_WATCH_MS) {
      // An end without cause; without a pause two such peers would spin.
      this.#failures++
      await this.#pause(this.#backoff(), signal)
    }
  }

  #event({ type, object, raw }: WatchEvent): void {
    const { target } = this.#options
    if (type === 'ERROR') throw StatusError.fromStatus(object)
    const version = (object.metadata as KubeObject['metadata'] | undefined)?.resourceVersion
    if (type !== 'BOOKMARK') {
      if (typeof object.metadata?.name !== 'string') throw new Error('a watch event without a name')
      if (type === 'DELETED') target.remove(object)
      else target.put(object, raw, false)
    }
    if (version !== undefined && !isBefore(version, this.#version ?? '')) this.#version = version
  }

  async #recover(error: Error, signal: AbortSignal): Promise<void> {
    const { target, logger, path, recheckMs } = this.#options
    if (isGone(error)) {
      // A continue token that dies before the list is through would die again: take it in one piece.
      this.#unpaged = this.#version === undefined && this.#failures > 0
      this.#version = undefined
      logger.debug({ path, reason: error.message }, 'listing again')
      if (this.#failures++ > 0) await this.#pause(this.#backoff(), signal)
      return
    }
    if (error instanceof StatusError && error.code === 404) {
      this.#version = undefined
      if (target.size === 0 || ++this.#absences >= ABSENT_AFTER) {
        target.begin()
        target.complete()
        this.#failures = 0
        this.#report('absent')
        const [step = recheckMs, ...steps] = this.#expected
        this.#expected = steps
        await this.#pause(Math.min(step, recheckMs), signal)
        return
      }
    }
    this.#failures++
    this.#report('failing', error.message)
    await this.#pause(this.#backoff(), signal)
  }

  #backoff(): number {
    return backoffMs(this.#failures, { ...BACKOFF, random: this.#options.random })
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#nudge.signal.aborted) this.#nudge = new AbortController()
    const onClose = (): void => this.#nudge.abort()
    signal.addEventListener('abort', onClose, { once: true })
    await pause(this.#options.clock, ms, this.#nudge.signal)
    signal.removeEventListener('abort', onClose)
  }

  #report(state: ReflectorState, error?: string): void {
    const { onState, logger, path } = this.#options
    if (state === this.#state && error === this.#error) return
    this.#state = state
    this.#error = error
    if (state === 'failing') logger.warn({ path, error }, 'watching a resource failed')
    else logger.debug({ path, state }, 'reflector state changed')
    onState(state, error)
  }

  #request(path: string): TransportRequest {
    const { user, userAgent } = this.#options
    return {
      method: 'GET',
      path,
      headers: { accept: 'application/json', 'user-agent': userAgent },
      ...(user !== undefined && { user }),
    }
  }
}

function isGone(error: Error): boolean {
  if (isExpired(error)) return true
  if (!(error instanceof StatusError)) return false
  // The second: a server restored to an earlier state, to whom our version is of the future.
  const causes = error.details?.causes ?? []
  return error.code === 410 || causes.some(({ reason }) => reason === 'ResourceVersionTooLarge')
}

/** Compares resource versions that are numbers, as all but a few servers write them. */
export function isBefore(version: string, other: string): boolean {
  if (!DIGITS.test(version) || !DIGITS.test(other)) return false
  return version.length !== other.length ? version.length < other.length : version < other
}

const DIGITS = /^[0-9]+$/
