/**
 * Who is asking. Owns tokens and their store, password login and its limits, OAuth clients; reads users through
 * an informer and writes login records.
 */
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type InformerSet } from '../client/cache/interface.js'
import { type Logger } from '../serving/log.js'
import { Attempts } from './attempts.js'
import { RequestAuthenticator } from './authenticator.js'
import { OAuthClients } from './clients.js'
import { type Authenticator } from './interface.js'
import { configuredProviders } from './identityproviders/configured.js'
import { IdentityProviders } from './identityproviders/index.js'
import { type MappingDeps } from './identityproviders/mapping.js'
import { Login, LoginError } from './login.js'
import { loginRecords } from './loginrecords.js'
import { type AuthenticationOptions } from './options.js'
import { Passwords } from './passwords.js'
import { TokenIssuer } from './tokens/issuer.js'
import { SigningKeys } from './tokens/keys.js'
import { MemoryTokenStore } from './tokens/memory-store.js'
import { Sessions } from './tokens/sessions.js'
import { type TokenStore } from './tokens/store.js'
import { UserDirectory } from './users.js'

export interface AuthenticationDeps {
  options: AuthenticationOptions
  informers: InformerSet
  /** Creates an object in the collection at the path; login records are written with it. */
  create: (path: string, object: KubeObject) => Promise<unknown>
  /** Makes the user of an identity that logs in for the first time. Default: nobody is made. */
  createUser?: MappingDeps['createUser']
  /** Default: in memory. */
  store?: TokenStore
  passwords?: Passwords
  logger: Logger
  /** Milliseconds since the epoch. */
  now?: () => number
}

export interface Authentication {
  authenticator: Authenticator
  users: UserDirectory
  login: Login
  identityProviders: IdentityProviders
  sessions: Sessions
  clients: OAuthClients
  keys: SigningKeys
  passwords: Passwords
  attempts: Attempts
  close(): Promise<void>
}

export function createAuthentication(deps: AuthenticationDeps): Authentication {
  const { options, logger, now = Date.now } = deps
  const { oauthOptions } = options
  const passwords = deps.passwords ?? new Passwords()
  const keys = new SigningKeys(oauthOptions)
  const issuer = new TokenIssuer({
    issuer: oauthOptions.issuer,
    jwtSecret: options.jwtSecret,
    maximumClockSkew: options.maximumClockSkew,
    accessTokenMaxAge: oauthOptions.accessTokenMaxAge,
    accessTokenInactivityTimeout: oauthOptions.accessTokenInactivityTimeout,
    keys,
    now,
  })
  const store = deps.store ?? new MemoryTokenStore(now)
  const sessions = new Sessions({ issuer, store, multipleLogin: options.multipleLogin })
  const users = new UserDirectory(deps.informers, (name) => {
    sessions
      .closeAll(name)
      .catch((error: unknown) => logger.error({ user: name, error }, 'sessions could not be ended'))
  })
  const attempts = new Attempts({
    maxTries: options.authenticateRateLimiterMaxTries,
    windowMs: options.authenticateRateLimiterDuration,
    now,
  })
  const records = loginRecords(deps.create, logger)
  const login = new Login({ users, passwords, attempts, records })
  const createUser = deps.createUser ?? (() => Promise.reject(new LoginError('unmapped')))
  const identityProviders = new IdentityProviders(
    configuredProviders(oauthOptions.identityProviders ?? [], logger),
    { users, attempts, records, createUser, logger },
  )
  return {
    authenticator: new RequestAuthenticator({ users, login, sessions }),
    users,
    login,
    identityProviders,
    sessions,
    clients: new OAuthClients(oauthOptions.clients),
    keys,
    passwords,
    attempts,
    async close() {
      users.stop()
      await store.close()
    },
  }
}
