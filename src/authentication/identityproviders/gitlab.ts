/** GitLab, gitlab.com or one's own. The number of the user is the identity: user names can be given away. */
import { type ProviderOptions } from '../../configuration/identityproviders.js'
import { publishedEndpoint, withDefaults } from './endpoint.js'
import { claim, providerHttp } from './http.js'
import { type CallbackProvider, nonsense } from './interface.js'
import { exchangeCode, userInfo } from './oauth2.js'
import { trustFrom } from './tls.js'

const DEFAULTS = {
  authURL: 'https://gitlab.com/oauth/authorize',
  tokenURL: 'https://gitlab.com/oauth/token',
  userInfoURL: 'https://gitlab.com/api/v4/user',
}

/** @throws Error when the authorities to trust cannot be read */
export function gitlabProvider(options: ProviderOptions<'GitlabIdentityProvider'>): CallbackProvider {
  const http = providerHttp(trustFrom(options))
  const endpoint = withDefaults(options.endpoint, DEFAULTS)
  const { tokenURL, userInfoURL } = endpoint
  return {
    kind: 'callback',
    published: () => publishedEndpoint(endpoint),
    async exchange(query, signal) {
      const exchange = { client: options, tokenURL, query, authentication: ['form'] } as const
      const { accessToken } = await exchangeCode(http, exchange, signal)
      const user = await userInfo(http, userInfoURL, accessToken, signal)
      const uid = claim(user, 'id')
      if (uid === '') throw nonsense('the user has no id')
      return { uid, username: claim(user, 'username'), email: claim(user, 'email') }
    },
  }
}
