/** What the OAuth endpoints are given. */
import { type OAuthClient, type OAuthClients } from '../../authentication/clients.js'
import { type IdentityProviders } from '../../authentication/identityproviders/index.js'
import { type Login } from '../../authentication/login.js'
import { type SigningKeys } from '../../authentication/tokens/keys.js'
import { type Sessions } from '../../authentication/tokens/sessions.js'
import { type UserDirectory } from '../../authentication/users.js'
import { OAuthError } from './errors.js'

export { subjectOf } from '../../authentication/subject.js'

export interface OAuthDeps {
  /** The issuer of the configuration, base of the addresses in the discovery document. */
  issuer: string
  users: UserDirectory
  login: Login
  sessions: Sessions
  clients: OAuthClients
  keys: SigningKeys
  identityProviders: IdentityProviders
}

/** @throws OAuthError with the status, which differs between endpoints */
export function clientNamed(clients: OAuthClients, name: string | null, status: number): OAuthClient {
  const client = clients.get(name ?? '')
  if (client === undefined) throw new OAuthError(status, 'invalid_client', 'the OAuth client was not found')
  return client
}
