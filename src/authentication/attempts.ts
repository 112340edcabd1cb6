/**
 * Counts failed logins per account and source as they happen.
 *
 * Locking an account is the work of the user controller and takes a moment; this closes the gap for the source
 * that is guessing, and does not let it lock out the account's owner elsewhere.
 */

/** Sources remembered; the longest unseen is forgotten. */
const SOURCES = 10_000

export interface AttemptsOptions {
  maxTries: number
  windowMs: number
  now?: () => number
}

export class Attempts {
  readonly #failures = new Map<string, number[]>()
  readonly #now: () => number

  constructor(private readonly options: AttemptsOptions) {
    this.#now = options.now ?? Date.now
  }

  /** @param since milliseconds; failures before it are forgiven, such as those before an unlock */
  exceeded(account: string, source: string, since: number): boolean {
    const from = Math.max(since, this.#now() - this.options.windowMs)
    const failures = this.#failures.get(keyOf(account, source))?.filter((at) => at >= from) ?? []
    return failures.length >= this.options.maxTries
  }

  failed(account: string, source: string): void {
    const key = keyOf(account, source)
    const failures = this.#failures.get(key) ?? []
    this.#failures.delete(key)
    if (this.#failures.size >= SOURCES) {
      const [oldest] = this.#failures.keys()
      if (oldest !== undefined) this.#failures.delete(oldest)
    }
    failures.push(this.#now())
    this.#failures.set(key, failures.slice(-this.options.maxTries))
  }

  succeeded(account: string, source: string): void {
    this.#failures.delete(keyOf(account, source))
  }
}

const keyOf = (account: string, source: string): string => JSON.stringify([account, source])
