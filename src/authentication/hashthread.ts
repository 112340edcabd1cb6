/**
 * Hashes in a thread of its own, which yields the processor to whoever answers requests: a hash takes some fifty
 * milliseconds of a core by design, and nobody but who waits for it needs it soon.
 *
 * The thread starts with the first hash and ends when there has been none for a while.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type Bcrypt from 'bcrypt'
// Not even loaded here: it lowers the priority of the thread it is loaded in.
import type { HashAnswer, HashQuestion } from './hashing.js'

export interface Hasher {
  compare: (password: string, hash: string) => Promise<boolean>
  hash: (password: string, cost: number) => Promise<string>
}

const IDLE_MS = 5_000
const LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 }

interface Waiting {
  resolve(value: never): void
  reject(error: Error): void
}

export class HashThread implements Hasher {
  readonly #script: URL
  readonly #idleMs: number
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #idle: NodeJS.Timeout | undefined
  #asked = 0

  /** @param script what runs in the thread */
  constructor(script: URL, { idleMs = IDLE_MS }: { idleMs?: number } = {}) {
    this.#script = script
    this.#idleMs = idleMs
  }

  compare(password: string, hash: string): Promise<boolean> {
    return this.#ask({ compare: password, hash })
  }

  hash(password: string, cost: number): Promise<string> {
    return this.#ask({ password, cost })
  }

  #ask<T>(question: HashQuestion): Promise<T> {
    clearTimeout(this.#idle)
    const worker = (this.#worker ??= this.#start())
    const id = ++this.#asked
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      worker.ref() // Who waits for a hash keeps the process.
      worker.postMessage({ id, question })
    })
  }

  #start(): Worker {
    const worker = new Worker(this.#script, { resourceLimits: LIMITS })
    worker.on('message', ({ id, value, error }: HashAnswer) => {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) waiting?.resolve(value as never)
      else waiting?.reject(new Error(error))
      if (this.#waiting.size === 0) this.#rest(worker)
    })
    const ended = (error: Error): void => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      const waiting = [...this.#waiting.values()]
      this.#waiting.clear()
      for (const each of waiting) each.reject(error)
    }
    worker.on('error', ended)
    worker.on('exit', () => ended(new Error('the thread that hashes passwords has ended')))
    return worker
  }

  #rest(worker: Worker): void {
    worker.unref()
    this.#idle = setTimeout(() => {
      this.#worker = undefined
      void worker.terminate()
    }, this.#idleMs).unref()
  }
}

/** A thread where the program is compiled; from sources, in tests, the thread pool of libuv. */
export function hasher(): Hasher {
  const script = new URL('hashing.js', import.meta.url)
  return existsSync(fileURLToPath(script)) ? new HashThread(script) : pooledHasher()
}

/** For who hashes once: a thread of its own takes as long to start as a hash takes. */
export function pooledHasher(): Hasher {
  const bcrypt = async (): Promise<typeof Bcrypt> => (await import('bcrypt')).default
  return {
    compare: async (password, hash) => (await bcrypt()).compare(password, hash),
    hash: async (password, cost) => (await bcrypt()).hash(password, cost),
  }
}
