/** Tokens in memory: gone with the process, unknown to other replicas. */
import { type TokenStore } from './store.js'

/** More sessions of one user push out the oldest, so that logging in over and over cannot fill the memory. */
const PER_USER = 1_000
const SWEEP_MS = 60_000

export class MemoryTokenStore implements TokenStore {
  /** User → token → when it expires; in order of issue. */
  readonly #users = new Map<string, Map<string, number>>()
  #sweptAt: number

  constructor(private readonly now: () => number = Date.now) {
    this.#sweptAt = now()
  }

  put(user: string, token: string, lifetimeMs: number): void {
    this.#sweep()
    let tokens = this.#users.get(user)
    if (tokens === undefined) {
      tokens = new Map()
      this.#users.set(user, tokens)
    }
    if (tokens.size >= PER_USER) {
      const [oldest] = tokens.keys()
      if (oldest !== undefined) tokens.delete(oldest)
    }
    tokens.set(token, this.now() + lifetimeMs)
  }

  has(user: string, token: string): boolean {
    const expiresAt = this.#users.get(user)?.get(token)
    return expiresAt !== undefined && expiresAt > this.now()
  }

  delete(user: string, token: string): boolean {
    const there = this.has(user, token)
    const tokens = this.#users.get(user)
    tokens?.delete(token)
    if (tokens?.size === 0) this.#users.delete(user)
    return there
  }

  deleteAll(user: string): void {
    this.#users.delete(user)
  }

  close(): void {
    this.#users.clear()
  }

  #sweep(): void {
    const now = this.now()
    if (now - this.#sweptAt < SWEEP_MS) return
    this.#sweptAt = now
    for (const [user, tokens] of this.#users) {
      for (const [token, expiresAt] of tokens) if (expiresAt <= now) tokens.delete(token)
      if (tokens.size === 0) this.#users.delete(user)
    }
  }
}
