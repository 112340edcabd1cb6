/** Access tokens of channels, and how often they may be called. */
import { type Limits, type TokenCache } from './channels/channel.js'
import { RetryableError } from './http.js'

/** Callers who want the same token wait for one fetch; a fetch that fails is not kept. */
export class Tokens implements TokenCache {
  readonly #tokens = new Map<string, { token: Promise<string>; until: number }>()

  get(key: string, lifetimeMs: number, fetch: () => Promise<string>): Promise<string> {
    const known = this.#tokens.get(key)
    if (known && known.until > Date.now()) return known.token
    const token = fetch()
    this.#tokens.set(key, { token, until: Date.now() + lifetimeMs })
    token.catch(() => this.drop(key))
    return token
  }

  drop(key: string): void {
    this.#tokens.delete(key)
  }
}

/** At most so many calls in any window of that length. */
export class Windows implements Limits {
  readonly #calls = new Map<string, number[]>()

  constructor(private readonly now: () => number = Date.now) {}

  async take(key: string, most: number, perMs: number, longestWaitMs: number): Promise<void> {
    const now = this.now()
    const calls = (this.#calls.get(key) ?? []).filter((at) => at > now - perMs)
    this.#calls.set(key, calls)
    const at = calls.length < most ? now : (calls[calls.length - most] ?? now) + perMs
    const waitMs = at - now
    if (waitMs > longestWaitMs) throw new RetryableError('the channel allows no more messages now', waitMs)
    calls.push(at)
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
}
