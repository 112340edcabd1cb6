/**
 * What an identity provider is to the platform: somebody who vouches for an identity, given a user name and a
 * password, or given what a browser brings back from its pages. Everything else is done outside it.
 */

/** Whom a provider vouches for. */
export interface Identity {
  /** Never changes at the provider; users are found by it. */
  uid: string
  username: string
  /** "" when the provider does not say. */
  email: string
}

export interface PasswordProvider {
  readonly kind: 'password'
  /**
   * @param password never empty
   * @throws ProviderError
   */
  login(username: string, password: string, signal: AbortSignal): Promise<Identity>
}

export interface CallbackProvider {
  readonly kind: 'callback'
  /**
   * @param query of the address the provider sent the browser back to
   * @throws ProviderError
   */
  exchange(query: URLSearchParams, signal: AbortSignal): Promise<Identity>
  /** Options that clients read and that are worked out, not written, over the written ones. */
  published?(): Readonly<Record<string, unknown>>
  /** Fetches what a first login would have to wait for; never throws, and may be called at any time. */
  prepare?(): void
}

export type IdentityProvider = PasswordProvider | CallbackProvider

/**
 * `refused`: the provider has heard the credentials and says no. `unavailable`: it has not been heard, or what it
 * says makes no sense. The message is for whoever logs in and names no address; the cause is for the log.
 */
export class ProviderError extends Error {
  override readonly name = 'ProviderError'

  constructor(
    readonly fault: 'refused' | 'unavailable',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

export function unreachable(cause: unknown): ProviderError {
  return new ProviderError('unavailable', 'the identity provider cannot be reached', { cause })
}

/** @param what it is that makes no sense; goes to the log */
export function nonsense(what: string): ProviderError {
  return new ProviderError('unavailable', 'the answer of the identity provider makes no sense', {
    cause: new Error(what),
  })
}
