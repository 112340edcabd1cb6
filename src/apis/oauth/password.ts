/**
 * A user name and a password: of a local account, or of a directory for those who have no password here.
 *
 * A local account with a password is never asked about elsewhere, so no directory can let anybody in as its owner.
 */
import { type LoginType } from '../../authentication/loginrecords.js'
import { type Subject } from '../../authentication/tokens/issuer.js'
import { type RequestInfo } from '../../serving/requestinfo.types.js'
import { type OAuthDeps, subjectOf } from './deps.js'

/**
 * @param form with `username` and `password`
 * @throws LoginError, BusyError
 */
export async function passwordLogin(
  { users, login, identityProviders }: OAuthDeps,
  form: URLSearchParams,
  type: LoginType,
  { sourceIP, userAgent }: RequestInfo,
  signal: AbortSignal,
): Promise<Subject> {
  const [username, password] = [form.get('username') ?? '', form.get('password') ?? '']
  const source = { type, sourceIP, userAgent, recordSuccess: true }
  await users.pending()
  if (!login.hasPassword(username)) {
    const subject = await identityProviders.loginAnywhere(username, password, source, signal)
    if (subject !== undefined) return subject
  }
  return subjectOf(await login.withPassword(username, password, source, signal))
}
