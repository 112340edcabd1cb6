/**
 * Password hashing, off the event loop (`hashthread.ts`) and one at a time.
 *
 * A hash takes some fifty milliseconds of a core by design. A flood of logins must not take the cores from the
 * requests of those who are logged in. So hashes queue, the queue is short and no account may fill it; after
 * each hash there is a rest as long as the hash; and who is refused hears so late, because whoever floods
 * tries again at once.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Hasher, hasher } from './hashthread.js'

/** What new passwords are hashed with; the original's default. */
export const COST = 10

export class BusyError extends Error {
  override readonly name = 'BusyError'
}

export interface PasswordsOptions {
  /** Waiting in all, and for one account. More are refused. */
  maxWaiting?: number
  maxWaitingPerAccount?: number
  refuseAfterMs?: number
  hasher?: Hasher
}

/** How long a refusal is held back, and how many are at most. */
const REFUSE_AFTER_MS = 1_000
const HELD_REFUSALS = 1_000

interface Job {
  account: string
  run(): Promise<void>
}

/** How long a password that was right is remembered, and how many of them. */
const REMEMBER_MS = 300_000
const REMEMBERED = 1_000
/** Between two logins whose hash is remembered, and how long one waits for its turn at most. */
const TURN_MS = 10
const LONGEST_TURN_MS = 2_000

export class Passwords {
  readonly #queue: Job[] = []
  readonly #waiting = new Map<string, number>()
  #running = false
  #heldRefusals = 0
  /** Digests, under a key of this process, of (hash, password) pairs that were right → until when. */
  readonly #right = new Map<string, number>()
  readonly #digestKey = randomBytes(32)
  #nextTurn = 0
  readonly #options: Required<PasswordsOptions>
  /** The hash of nothing anybody types; compared against for accounts that do not exist. */
  #decoy: Promise<string> | undefined

  constructor(options: PasswordsOptions = {}) {
    this.#options = {
      maxWaiting: 64,
      maxWaitingPerAccount: 8,
      refuseAfterMs: REFUSE_AFTER_MS,
      ...options,
      hasher: options.hasher ?? hasher(),
    }
  }

  /**
   * @param hash bcrypt, with any of its prefixes; "" takes as long and is never right
   * @param account whose turn in the queue this takes
   * @throws BusyError when too many wait; the signal's reason
   */
  async matches(password: string, hash: string, account: string, signal?: AbortSignal): Promise<boolean> {
    const digest = createHmac('sha256', this.#digestKey).update(`${hash}\0${password}`).digest('base64')
    const until = this.#right.get(digest)
    if (until !== undefined && until > Date.now()) {
      await this.#takeTurn(signal)
      return true
    }
    const right = await this.#enqueue(account, signal, async () => {
      const known = hash !== ''
      const other = known ? hash.replace(/^\$2y\$/, '$2b$') : await this.#decoyHash()
      return (await this.#options.hasher.compare(password, other)) && known
    })
    if (right) this.#remember(digest)
    return right
  }

  /** @returns a bcrypt hash of cost 10 */
  hash(password: string, signal?: AbortSignal): Promise<string> {
    return this.#enqueue('', signal, () => this.#options.hasher.hash(password, COST))
  }

  /** A login costs more than its hash: those whose hash is remembered are let through at a steady pace. */
  async #takeTurn(signal: AbortSignal | undefined): Promise<void> {
    const now = Date.now()
    const at = Math.max(now, this.#nextTurn)
    if (at - now > LONGEST_TURN_MS) return this.#refuse('too many logins at once', signal)
    this.#nextTurn = at + TURN_MS
    if (at > now) await sleep(at - now, undefined, { ...(signal && { signal }) })
  }

  #decoyHash(): Promise<string> {
    this.#decoy ??= this.#options.hasher.hash(randomBytes(16).toString('hex'), COST)
    return this.#decoy
  }

  #remember(digest: string): void {
    this.#right.delete(digest)
    if (this.#right.size >= REMEMBERED) {
      const [oldest] = this.#right.keys()
      if (oldest !== undefined) this.#right.delete(oldest)
    }
    this.#right.set(digest, Date.now() + REMEMBER_MS)
  }

  #enqueue<T>(account: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const waiting = this.#waiting.get(account) ?? 0
    // Hashing for the platform itself has no account and is never refused.
    if (account !== '' && waiting >= this.#options.maxWaitingPerAccount)
      return this.#refuse('too many logins of one account at once', signal)
    if (account !== '' && this.#queue.length >= this.#options.maxWaiting)
      return this.#refuse('too many logins at once', signal)
    if (signal?.aborted) return Promise.reject(signal.reason as Error)
    this.#waiting.set(account, waiting + 1)
    return new Promise<T>((resolve, reject) => {
      const job: Job = { account, run: () => work().then(resolve, reject) }
      this.#queue.push(job)
      signal?.addEventListener(
        'abort',
        () => {
          const position = this.#queue.indexOf(job)
          if (position < 0) return // It runs already and will settle by itself.
          this.#queue.splice(position, 1)
          this.#leave(account)
          reject(signal.reason as Error)
        },
        { once: true },
      )
      void this.#run()
    })
  }

  async #run(): Promise<void> {
    if (this.#running) return
    this.#running = true
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      const startedAt = performance.now()
      await job.run()
      this.#leave(job.account)
      await sleep(performance.now() - startedAt)
    }
    this.#running = false
  }

  /** @throws BusyError, after a while; the signal's reason */
  async #refuse(why: string, signal: AbortSignal | undefined): Promise<never> {
    if (this.#heldRefusals < HELD_REFUSALS) {
      this.#heldRefusals++
      try {
        await sleep(this.#options.refuseAfterMs, undefined, signal && { signal })
      } finally {
        this.#heldRefusals--
      }
    }
    throw new BusyError(why)
  }

  #leave(account: string): void {
    const waiting = (this.#waiting.get(account) ?? 1) - 1
    if (waiting === 0) this.#waiting.delete(account)
    else this.#waiting.set(account, waiting)
  }
}
