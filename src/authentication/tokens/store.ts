/**
 * Where issued tokens are kept so that they can be revoked. Two implementations, in memory and in Redis, pass
 * the one suite of `store.suite.ts`.
 */

export interface TokenStore {
  /** Keeps the token until it expires by itself. */
  put(user: string, token: string, lifetimeMs: number): void | Promise<void>
  has(user: string, token: string): boolean | Promise<boolean>
  /** @returns whether it was there: of two that take a single-use token at once, one gets true */
  delete(user: string, token: string): boolean | Promise<boolean>
  deleteAll(user: string): void | Promise<void>
  close(): void | Promise<void>
}
