/** Who is asking. */
import { type IncomingHttpHeaders } from 'node:http'
import { type UserInfo } from '../apimachinery/meta/types.js'

export interface AuthenticationRequest {
  headers: IncomingHttpHeaders
  sourceIP: string
  userAgent: string
}

export interface Authenticator {
  /**
   * @param client its signal is only read by what waits
   * @returns the user; anonymous when there are no credentials
   * @throws StatusError 401 when there are credentials and none is good
   */
  authenticate(
    request: AuthenticationRequest,
    client: { readonly signal: AbortSignal },
  ): Promise<UserInfo> | UserInfo
}
