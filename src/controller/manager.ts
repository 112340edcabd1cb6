/**
 * Runs controllers: each has a queue, sources that fill it, and a reconciler that empties it.
 *
 * A failing reconciler is tried again with growing delay and does not disturb the others.
 */
import { setMaxListeners } from 'node:events'
import { breathe } from './breathe.js'
import {
  type Clock,
  type Logger,
  type Reconciler,
  type Request,
  type Source,
  TerminalError,
} from './types.js'
import { WorkQueue } from './workqueue.js'

export interface Controller {
  /** Lower case, as in configuration and logs: `namespace`, `workspace`. */
  name: string
  reconciler: Reconciler
  sources: readonly Source[]
  /** Requests worked on at the same time. Default 2. */
  workers?: number
}

export interface ControllerStatus {
  name: string
  waiting: number
  running: number
  delayed: number
  failures: number
  lastError?: string
}

export interface ManagerOptions {
  clock: Clock
  logger: Logger
  /** Delay before the first retry. */
  baseDelayMs?: number
  /** Which controllers run, by name. Default: all. */
  wanted?: (name: string) => boolean
}

interface Running {
  controller: Controller
  queue: WorkQueue
  stops: (() => void)[]
  workers: Promise<void>[]
  failures: number
  lastError: string | undefined
}

export class Manager {
  readonly #running: Running[] = []
  readonly #abort = new AbortController()

  constructor(private readonly options: ManagerOptions) {
    // One signal for the requests of all passes at once is meant.
    setMaxListeners(0, this.#abort.signal)
  }

  /** Starts a controller, unless it is not wanted. */
  start(controller: Controller): void {
    const { clock, baseDelayMs, wanted } = this.options
    if (wanted && !wanted(controller.name)) return
    const queue = new WorkQueue({ clock, ...(baseDelayMs !== undefined && { baseDelayMs }) })
    const running: Running = { controller, queue, stops: [], workers: [], failures: 0, lastError: undefined }
    this.#running.push(running)
    for (const source of controller.sources) running.stops.push(source((request) => queue.add(request)))
    for (let i = 0; i < (controller.workers ?? 2); i++) running.workers.push(this.#work(running))
  }

  status(): ControllerStatus[] {
    return this.#running.map(({ controller, queue, failures, lastError }) => ({
      name: controller.name,
      waiting: queue.length,
      running: queue.running,
      delayed: queue.delayed,
      failures,
      ...(lastError !== undefined && { lastError }),
    }))
  }

  /** True when no controller has anything to do now. */
  get idle(): boolean {
    return this.#running.every(({ queue }) => queue.idle)
  }

  /** Stops all sources, aborts passes under way and waits for them. */
  async close(): Promise<void> {
    for (const { stops } of this.#running) for (const stop of stops) stop()
    this.#abort.abort(new Error('the controllers are stopping'))
    for (const { queue } of this.#running) queue.close()
    await Promise.all(this.#running.flatMap(({ workers }) => workers))
  }

  async #work(running: Running): Promise<void> {
    const { queue } = running
    for (;;) {
      const request = await queue.take()
      if (!request) return
      await breathe()
      await this.#pass(running, request)
      queue.done(request)
    }
  }

  async #pass(running: Running, request: Request): Promise<void> {
    const { controller, queue } = running
    const { signal } = this.#abort
    const { logger } = this.options
    try {
      const result = await controller.reconciler.reconcile(request, signal)
      queue.forget(request)
      if (result) queue.addAfter(request, result.requeueAfter)
    } catch (error) {
      if (signal.aborted) return
      running.failures++
      running.lastError = error instanceof Error ? error.message : String(error)
      const fields = { controller: controller.name, ...request, error }
      if (error instanceof TerminalError) {
        queue.forget(request)
        logger.error(fields, 'reconciling failed for good')
        return
      }
      const retryInMs = queue.addFailed(request)
      // The first few are races with other writers: they tell an operator nothing.
      const level = retryInMs > 1000 ? 'warn' : 'debug'
      logger[level]({ ...fields, retryInMs }, 'reconciling failed')
    }
  }
}
