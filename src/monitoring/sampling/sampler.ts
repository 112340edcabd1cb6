/** Looks at the cluster every so often, and when somebody asks how it is now. */
import { setMaxListeners } from 'node:events'
import { type InformerSet } from '../../client/cache/interface.js'
import { type Logger } from '../../client/log.js'
import { type RestClient } from '../../client/rest.js'
import { type KindStores } from '../../listing/stores.js'
import type { Frames } from './frames.js'
import { type SampledLevel, type SampledSeries, type Snapshot } from './series.js'
import { Snapshots } from './snapshot.js'
import { readUsages } from './usage.js'

export interface SamplerOptions {
  stores: KindStores
  informers: InformerSet
  client: RestClient
  frames: Frames
  intervalMs: number
  logger: Logger
  now: () => Date
}

/** Questions of one page come together. */
const FRESH_SECONDS = 5
/** As Prometheus looks back for a sample. */
const LOOK_BACK_SECONDS = 300
const TIMEOUT_MS = 10_000
const FIRST_MS = 10_000
/** Caches that one look may wait for. */
const WAITING = 50

export interface Sampled {
  time: number
  series: readonly SampledSeries[]
}

export class Sampler {
  readonly #options: SamplerOptions
  readonly #snapshots: Snapshots
  readonly #stop = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #latest: { startedAt: number; snapshot: Promise<Snapshot> } | undefined

  constructor(options: SamplerOptions) {
    this.#options = options
    this.#snapshots = new Snapshots(options.stores, options.informers)
  }

  start(): void {
    const { intervalMs } = this.#options
    const tick = (): void => {
      this.#timer = setTimeout(tick, intervalMs).unref()
      this.#sample().catch((error: unknown) => {
        if (!this.#stop.signal.aborted) this.#options.logger.warn({ err: error }, 'no sample of the cluster')
      })
    }
    // Not while the server starts; a question about now is answered by a look of its own.
    this.#timer = setTimeout(tick, Math.min(FIRST_MS, intervalMs)).unref()
  }

  /** How the level is, or was at that time; undefined when there is no sample of then. */
  async at(level: SampledLevel, time: number): Promise<Sampled | undefined> {
    const { frames, intervalMs, now } = this.#options
    if (time > now().getTime() / 1_000 - intervalMs / 1_000) {
      const { time: taken, levels } = await this.#now()
      return { time: taken, series: levels[level] }
    }
    const found = frames.times(level, time - LOOK_BACK_SECONDS, time).at(-1)
    return found === undefined ? undefined : { time: found, series: frames.series(level, found) }
  }

  /** For each step the last sample before it, where there is one. */
  range(level: SampledLevel, { start, end, step }: { start: number; end: number; step: number }): Sampled[] {
    const { frames } = this.#options
    const times = frames.times(level, start - LOOK_BACK_SECONDS, end)
    const found: Sampled[] = []
    let position = -1
    for (let time = start; time <= end; time += step) {
      while (position + 1 < times.length && (times[position + 1] ?? Infinity) <= time) position++
      const taken = times[position]
      if (taken === undefined) {
        // Nothing before the first sample.
        if (times[0] === undefined) break
        time += Math.max(0, Math.floor((times[0] - time) / step) * step)
      } else if (taken > time - LOOK_BACK_SECONDS) found.push({ time, series: frames.series(level, taken) })
    }
    return found
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#stop.abort()
    await this.#latest?.snapshot.catch(() => undefined)
    this.#options.frames.close()
  }

  async #sample(): Promise<void> {
    const snapshot = await this.#now()
    if (!this.#stop.signal.aborted) this.#options.frames.add(snapshot)
  }

  #now(): Promise<Snapshot> {
    const { now } = this.#options
    const startedAt = now().getTime() / 1_000
    if (this.#latest && startedAt - this.#latest.startedAt < FRESH_SECONDS) return this.#latest.snapshot
    const snapshot = this.#take(startedAt)
    const latest = { startedAt, snapshot }
    this.#latest = latest
    snapshot.catch(() => {
      if (this.#latest === latest) this.#latest = undefined
    })
    return snapshot
  }

  async #take(time: number): Promise<Snapshot> {
    const { client } = this.#options
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TIMEOUT_MS)])
    setMaxListeners(WAITING, signal) // The caches of our own kinds.
    await this.#snapshots.ready(signal)
    return this.#snapshots.take(time, await readUsages(client, signal))
  }
}
