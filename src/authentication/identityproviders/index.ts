/**
 * Logging in elsewhere: asks a configured provider for an identity and turns it into the subject of a session.
 *
 * Passwords are limited as those of local accounts are, per name and source. A provider that fails is logged and
 * fails its own logins, nobody else's.
 */
import { type Attempts } from '../attempts.js'
import { LoginError, type LoginSource } from '../login.js'
import { type LoginRecords } from '../loginrecords.js'
import { BusyError } from '../passwords.js'
import { type Subject, subjectOf } from '../subject.js'
import { type User } from '../users.js'
import { type Logger } from '../../serving/log.js'
import { type Identity, type IdentityProvider, type PasswordProvider, ProviderError } from './interface.js'
import { isUser, Mapping, type MappingDeps, type MappingOptions } from './mapping.js'

export interface ConfiguredProvider extends MappingOptions {
  provider: IdentityProvider
}

export interface IdentityProvidersDeps extends MappingDeps {
  attempts: Attempts
  records: LoginRecords
  logger: Logger
}

export type ProviderLoginSource = Pick<LoginSource, 'sourceIP' | 'userAgent'>

/** Logins under way at one provider; more are refused. */
const MAX_IN_FLIGHT = 16
/** Local whatever happens: a directory must not be able to say who it is. */
const ADMIN = 'admin'

export class IdentityProviders {
  readonly #byName: ReadonlyMap<string, ConfiguredProvider>
  readonly #inFlight = new Map<string, number>()
  readonly #mapping: Mapping

  constructor(
    configured: readonly ConfiguredProvider[],
    private readonly deps: IdentityProvidersDeps,
  ) {
    this.#byName = new Map(configured.map((one) => [one.name, one]))
    this.#mapping = new Mapping(deps)
  }

  /**
   * The browser is back from the provider with what the provider has to say.
   *
   * @throws LoginError, BusyError
   */
  async callback(
    name: string,
    query: URLSearchParams,
    source: ProviderLoginSource,
    signal: AbortSignal,
  ): Promise<Subject> {
    const { provider, ...options } = this.#named(name)
    if (provider.kind !== 'callback') throw new LoginError('no-such-login')
    const identity = await this.#ask(name, () => provider.exchange(query, signal))
    const found = await this.#mapping.resolve(options, identity, signal)
    return isUser(found) ? this.#entered(name, found, source) : found
  }

  /**
   * A user name and a password of the provider.
   *
   * @throws LoginError, BusyError
   */
  async login(
    name: string,
    username: string,
    password: string,
    source: ProviderLoginSource,
    signal: AbortSignal,
  ): Promise<Subject> {
    if (username === '' || password === '') throw new LoginError('incorrect')
    const { provider, ...options } = this.#named(name)
    if (provider.kind !== 'password') throw new LoginError('no-such-login')
    return this.#withPassword(provider, options, { username, password }, source, signal)
  }

  /**
   * Asks one after the other everybody who knows passwords; who does not answer, or knows somebody without a user
   * here, counts as not knowing.
   *
   * @returns undefined when there is nobody to ask
   * @throws LoginError, BusyError
   */
  async loginAnywhere(
    username: string,
    password: string,
    source: ProviderLoginSource,
    signal: AbortSignal,
  ): Promise<Subject | undefined> {
    if (username === '' || password === '' || username === ADMIN) return undefined
    let refusal: LoginError | undefined
    for (const { provider, ...options } of this.#byName.values()) {
      if (provider.kind !== 'password') continue
      try {
        return await this.#withPassword(provider, options, { username, password }, source, signal)
      } catch (error) {
        if (!(error instanceof LoginError)) throw error
        if (error.fault === 'inactive' || error.fault === 'limited') throw error
        refusal = new LoginError('incorrect')
      }
    }
    if (refusal !== undefined) throw refusal
    return undefined
  }

  /** What clients are to read in place of written options; empty when there is nothing, or no such provider. */
  published(name: string): Readonly<Record<string, unknown>> {
    const provider = this.#byName.get(name)?.provider
    if (provider?.kind !== 'callback') return {}
    provider.prepare?.()
    return provider.published?.() ?? {}
  }

  #named(name: string): ConfiguredProvider {
    const found = this.#byName.get(name)
    if (found === undefined) throw new LoginError('no-provider')
    return found
  }

  async #withPassword(
    provider: PasswordProvider,
    options: MappingOptions,
    { username, password }: { username: string; password: string },
    source: ProviderLoginSource,
    signal: AbortSignal,
  ): Promise<Subject> {
    const { users, attempts, records } = this.deps
    await users.pending()
    const account = `${options.name}/${username.toLowerCase()}`
    const suspect = users.byIdentity(options.name, username)
    if (attempts.exceeded(account, source.sourceIP, suspect?.lastTransitionAt ?? 0))
      throw new LoginError('limited')
    let identity: Identity
    try {
      identity = await this.#ask(options.name, () => provider.login(username, password, signal))
    } catch (error) {
      if (!(error instanceof LoginError) || error.fault !== 'refused') throw error
      attempts.failed(account, source.sourceIP)
      if (suspect !== undefined)
        await records.record(suspect.name, recordOf(options.name, source, 'incorrect password'))
      throw new LoginError('incorrect')
    }
    attempts.succeeded(account, source.sourceIP)
    const found = await this.#mapping.resolve(options, identity, signal)
    if (!isUser(found)) return found
    if (found.state === 'AuthLimitExceeded') throw new LoginError('limited')
    return this.#entered(options.name, found, source)
  }

  /** @throws LoginError in place of what the provider throws */
  async #ask(name: string, ask: () => Promise<Identity>): Promise<Identity> {
    const under = this.#inFlight.get(name) ?? 0
    if (under >= MAX_IN_FLIGHT) throw new BusyError('too many logins at once')
    this.#inFlight.set(name, under + 1)
    try {
      const identity = await ask()
      await this.deps.users.pending()
      return identity
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error
      if (error.fault === 'refused') throw new LoginError('refused', error.message)
      this.deps.logger.warn({ provider: name, error: error.cause ?? error }, 'identity provider failed')
      throw new LoginError('unavailable', error.message)
    } finally {
      this.#inFlight.set(name, (this.#inFlight.get(name) ?? 1) - 1)
    }
  }

  async #entered(provider: string, user: User, source: ProviderLoginSource): Promise<Subject> {
    if (user.state === 'Disabled') throw new LoginError('inactive')
    await this.deps.records.record(user.name, recordOf(provider, source, 'authenticated successfully'))
    return subjectOf(user)
  }
}

function recordOf(provider: string, { sourceIP, userAgent }: ProviderLoginSource, reason: string) {
  const success = reason === 'authenticated successfully'
  return { type: 'Token', provider, sourceIP, userAgent, success, reason } as const
}
