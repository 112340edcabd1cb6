/** What the OAuth endpoints are given. */
import { type OAuthClient, type OAuthClients } from '../../authentication/clients.js'
import { type Login, LoginError } from '../../authentication/login.js'
import { type SigningKeys } from '../../authentication/tokens/keys.js'
import { type Subject } from '../../authentication/tokens/issuer.js'
import { type Sessions } from '../../authentication/tokens/sessions.js'
import { type User, type UserDirectory } from '../../authentication/users.js'
import { OAuthError } from './errors.js'

export interface OAuthDeps {
  /** The issuer of the configuration, base of the addresses in the discovery document. */
  issuer: string
  users: UserDirectory
  login: Login
  sessions: Sessions
  clients: OAuthClients
  keys: SigningKeys
  /** Default: there are none. */
  identityProviders?: IdentityProviders
}

/** Logging in elsewhere. Each throws LoginError for a provider it does not know. */
export interface IdentityProviders {
  /** The browser is back from the provider with what the provider has to say. */
  callback(provider: string, query: URLSearchParams, signal: AbortSignal): Promise<Subject>
  login(provider: string, username: string, password: string, signal: AbortSignal): Promise<Subject>
}

export const NO_PROVIDERS: IdentityProviders = {
  callback: () => Promise.reject(new LoginError('no-provider')),
  login: () => Promise.reject(new LoginError('no-provider')),
}

/** What an access token says of a user. The console reads `uninitialized` and asks for a new password. */
export function subjectOf(user: User): Subject {
  return {
    username: user.name,
    ...(user.uninitialized !== '' && { extra: { uninitialized: [user.uninitialized] } }),
  }
}

/** @throws OAuthError with the status, which differs between endpoints */
export function clientNamed(clients: OAuthClients, name: string | null, status: number): OAuthClient {
  const client = clients.get(name ?? '')
  if (client === undefined) throw new OAuthError(status, 'invalid_client', 'the OAuth client was not found')
  return client
}
