/** Alibaba Cloud IDaaS: OAuth 2, and user info in an envelope that says whether it succeeded. */
import { type ProviderOptions } from '../../configuration/identityproviders.js'
import { claim, providerHttp } from './http.js'
import { type CallbackProvider, nonsense } from './interface.js'
import { exchangeCode, userInfo } from './oauth2.js'
import { trustFrom } from './tls.js'

/** @throws Error when the authorities to trust cannot be read */
export function aliyunIDaaSProvider(options: ProviderOptions<'AliyunIDaaSProvider'>): CallbackProvider {
  const http = providerHttp(trustFrom(options))
  const { tokenURL, userInfoURL } = options.endpoint
  return {
    kind: 'callback',
    async exchange(query, signal) {
      const exchange = { client: options, tokenURL, query, authentication: ['form', 'basic'] } as const
      const { accessToken } = await exchangeCode(http, exchange, signal)
      const { success, code, message, data } = await userInfo(http, userInfoURL, accessToken, signal)
      if (success !== true) throw nonsense(`user info: ${String(code)}: ${String(message)}`)
      const user = data !== null && typeof data === 'object' ? (data as Record<string, unknown>) : {}
      const uid = claim(user, 'sub')
      if (uid === '') throw nonsense('the user has no sub')
      return { uid, username: claim(user, 'username'), email: claim(user, 'email') }
    },
  }
}
