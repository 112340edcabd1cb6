/** GitHub, and GitHub Enterprise: the user is who GitHub's API says owns the access token. */
import { type ProviderOptions } from '../../configuration/identityproviders.js'
import { claim, providerHttp } from './http.js'
import { type CallbackProvider, nonsense } from './interface.js'
import { exchangeCode, userInfo } from './oauth2.js'
import { publishedEndpoint, withDefaults } from './endpoint.js'
import { trustFrom } from './tls.js'

const DEFAULTS = {
  authURL: 'https://github.com/login/oauth/authorize',
  tokenURL: 'https://github.com/login/oauth/access_token',
  userInfoURL: 'https://api.github.com/user',
}

/** @throws Error when the authorities to trust cannot be read */
export function githubProvider(options: ProviderOptions<'GitHubIdentityProvider'>): CallbackProvider {
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
      const login = claim(user, 'login')
      if (login === '') throw nonsense('the user has no login')
      return { uid: login, username: login, email: claim(user, 'email') }
    },
  }
}
