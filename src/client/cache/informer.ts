/** One resource's store, kept full by a reflector, and those who listen to its changes. */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Recent } from '../../apimachinery/packing/index.js'
import { type Logger } from '../log.js'
import { type CacheOptions, type Change, type Informer } from './interface.js'
import { isBefore, Reflector, type ReflectorOptions, type ReflectorState } from './reflector.js'
import { IndexedStore } from './store.js'

export class SharedInformer<Fields = unknown> implements Informer<Fields> {
  readonly store: IndexedStore<Fields>
  readonly #logger: Logger
  readonly #path: string
  readonly #reflector: Reflector
  readonly #listeners = new Set<(change: Change<Fields>) => void>()
  #waiting: (() => void)[] = []
  #synced = false
  state: ReflectorState = 'waiting'
  error: string | undefined

  constructor(
    reflector: Omit<ReflectorOptions, 'target' | 'onState'>,
    options: CacheOptions<Fields> | undefined,
    recent?: Recent,
  ) {
    this.#logger = reflector.logger
    this.#path = reflector.path
    const onFault = (object: KubeObject, error: unknown): void => {
      const { namespace, name } = object.metadata
      this.#logger.warn(
        { path: this.#path, namespace, name, error: String(error) },
        'an object has fields of an unexpected form',
      )
    }
    this.store = new IndexedStore(options, onFault, recent)
    const { store } = this
    this.#reflector = new Reflector({
      ...reflector,
      target: {
        begin: () => store.beginPass(),
        put: (object, raw, listed) => this.#put(object, raw, listed),
        remove: (object) => this.#remove(object),
        complete: () => this.#complete(),
        get size() {
          return store.size
        },
      },
      onState: (state, error) => {
        this.state = state
        this.error = error
      },
    })
  }

  get synced(): boolean {
    return this.#synced
  }

  start(): void {
    this.#reflector.start()
  }

  /** Tries again now, when the resource is absent or failing. */
  recheck(): void {
    this.#reflector.nudge()
  }

  close(): Promise<void> {
    return this.#reflector.close()
  }

  whenSynced(signal?: AbortSignal): Promise<void> {
    if (this.#synced) return Promise.resolve()
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error)
        return
      }
      const done = (): void => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const onAbort = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== done)
        reject(signal?.reason as Error)
      }
      this.#waiting.push(done)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  onChange(listener: (change: Change<Fields>) => void): () => void {
    // Wrapped, so that one function given twice is two subscriptions.
    const own = (change: Change<Fields>): void => listener(change)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  #put(object: KubeObject, raw: Buffer, listed: boolean): void {
    if (!listed && this.#isStale(object)) return
    const change = this.store.upsert(object, raw)
    if (change) this.#emit(change)
  }

  #remove(object: KubeObject): void {
    if (this.#isStale(object)) return
    const change = this.store.delete(object.metadata.namespace ?? '', object.metadata.name ?? '')
    if (change) this.#emit(change)
  }

  /** A watch event older than what the store holds of the same object. */
  #isStale({ metadata }: KubeObject): boolean {
    const held = this.store.get(metadata.namespace ?? '', metadata.name ?? '')
    // The version first: reading the uid parses the object.
    return isBefore(metadata.resourceVersion ?? '', held?.resourceVersion ?? '') && held?.uid === metadata.uid
  }

  #complete(): void {
    for (const change of this.store.sweep()) this.#emit(change)
    this.#synced = true
    const waiting = this.#waiting
    this.#waiting = []
    for (const done of waiting) done()
  }

  #emit(change: Change<Fields>): void {
    for (const listener of this.#listeners) {
      try {
        listener(change)
      } catch (error) {
        const { namespace, name } = change.object
        this.#logger.error(
          { path: this.#path, namespace, name, error: error instanceof Error ? error.stack : String(error) },
          'a listener failed on a change',
        )
      }
    }
  }
}
