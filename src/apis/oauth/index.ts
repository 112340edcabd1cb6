/** Assembles the OAuth server, `/oauth`. */
import { type ApiGroup } from '../../serving/route.js'
import { authorizeRoutes } from './authorize.js'
import { type OAuthDeps } from './deps.js'
import { discoveryRoutes } from './discovery.js'
import { logoutRoute } from './logout.js'
import { providerRoutes } from './providers.js'
import { tokenRoute } from './token.js'
import { tokenReviewRoute } from './tokenreview.js'

export { type OAuthDeps } from './deps.js'

export function oauthGroup(deps: OAuthDeps): ApiGroup {
  return {
    root: '/oauth',
    title: 'Logging in and out',
    errors: 'oauth',
    routes: [
      ...discoveryRoutes(deps),
      tokenReviewRoute(deps),
      ...authorizeRoutes(deps),
      tokenRoute(deps),
      ...providerRoutes(deps),
      logoutRoute(deps),
    ],
  }
}
