/**
 * Logging in with a local user name (or e-mail address) and password.
 *
 * Unknown users, users without password and wrong passwords are answered alike and take the same time. State is
 * looked at before the password: a locked account learns nothing about it.
 */
import { type Attempts } from './attempts.js'
import { type LoginRecords, type LoginType } from './loginrecords.js'
import { type Passwords } from './passwords.js'
import { type User, type UserDirectory } from './users.js'

/** The last five are of identity providers. */
export type LoginFault =
  | 'incorrect'
  | 'limited'
  | 'inactive'
  /** There is no provider of that name. */
  | 'no-provider'
  /** There is one, and it is not logged in at in this way. */
  | 'no-such-login'
  | 'unavailable'
  | 'refused'
  /** The identity is genuine, and nobody's. */
  | 'unmapped'

const TEXTS: Readonly<Record<LoginFault, string>> = {
  incorrect: 'incorrect password',
  limited: 'auth rate limit exceeded',
  inactive: 'account is not active',
  'no-provider': 'the identity provider was not found',
  'no-such-login': 'identity provider not found',
  unavailable: 'the identity provider cannot be reached',
  refused: 'the identity provider refused the login',
  unmapped: 'the identity belongs to no user',
}

export class LoginError extends Error {
  override readonly name = 'LoginError'

  constructor(
    readonly fault: LoginFault,
    message = TEXTS[fault],
  ) {
    super(message)
  }
}

export interface LoginSource {
  type: LoginType
  sourceIP: string
  userAgent: string
  /** Whether a good login is recorded too; a bad one always is. */
  recordSuccess: boolean
}

export interface LoginDeps {
  users: UserDirectory
  passwords: Passwords
  attempts: Attempts
  records: LoginRecords
}

/** The user name or the address in `Ann <ann@example.com>`. */
const ADDRESS = /^(?:[^<>@]*<\s*)?([^\s<>@]+@[^\s<>@]+)(?:\s*>)?$/

export class Login {
  constructor(private readonly deps: LoginDeps) {}

  /**
   * @throws LoginError, BusyError
   */
  async withPassword(
    username: string,
    password: string,
    { type, sourceIP, userAgent, recordSuccess }: LoginSource,
    signal?: AbortSignal,
  ): Promise<User> {
    const { users, passwords, attempts, records } = this.deps
    await users.pending()
    if (username === '' || password === '') throw new LoginError('incorrect')
    const user = this.#find(username)
    if (user === undefined) {
      await passwords.matches(password, '', 'unknown', signal)
      throw new LoginError('incorrect')
    }
    if (user.state === 'AuthLimitExceeded') throw new LoginError('limited')
    if (user.state !== 'Active') throw new LoginError('inactive')
    if (attempts.exceeded(user.name, sourceIP, user.lastTransitionAt)) throw new LoginError('limited')

    const right = await passwords.matches(password, user.passwordHash, user.name, signal)
    const record = (reason: string): Promise<void> =>
      records.record(user.name, { type, provider: '', sourceIP, userAgent, success: right, reason })
    // Nobody can be right while the hash is being made, so nobody is blamed.
    if (!right && user.isPasswordPending) throw new LoginError('incorrect')
    if (!right) {
      attempts.failed(user.name, sourceIP)
      await record('incorrect password')
      throw new LoginError('incorrect')
    }
    attempts.succeeded(user.name, sourceIP)
    if (recordSuccess) await record('authenticated successfully')
    return user
  }

  /** Whether there is an account with a password of its own, which nobody else is asked about. */
  hasPassword(username: string): boolean {
    const user = this.#find(username)
    return user !== undefined && (user.passwordHash !== '' || user.isPasswordPending)
  }

  #find(username: string): User | undefined {
    const address = ADDRESS.exec(username.trim())?.[1]
    return address === undefined ? this.deps.users.get(username) : this.deps.users.byEmail(address)
  }
}
