/** What a controller is made of. */

/** Names one object; "" as namespace for cluster scope. State is read by the reconciler, never carried. */
export interface Request {
  namespace: string
  name: string
}

/** Undefined: done, until something changes. */
export type Result = { requeueAfter: number } | undefined | void

export interface Reconciler {
  /**
   * Brings one object a step towards what it should be. Runs at most once at a time for the same request,
   * may run twice or late.
   *
   * @returns `requeueAfter` in milliseconds to be called again without a change
   * @throws anything to be called again with growing delay; TerminalError to be left alone
   */
  reconcile(request: Request, signal: AbortSignal): Promise<Result>
}

/** Trying again cannot help: only a change of the object can. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError'
}

/** Delivers requests until stopped; starts with those for what is there already. @returns stop */
export type Source = (enqueue: (request: Request) => void) => () => void

export interface Clock {
  now(): number
  /** @returns cancel */
  after(ms: number, action: () => void): () => void
}

/** Pino-like; the fields first. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
