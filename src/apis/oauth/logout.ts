/** `GET /oauth/logout`: ends every session of the caller. */
import { badRequest } from '../../apimachinery/errors/index.js'
import { ANONYMOUS } from '../../apimachinery/meta/types.js'
import { Reply, route, type Route } from '../../serving/route.js'
import { type OAuthDeps } from './deps.js'

export function logoutRoute({ sessions, clients }: OAuthDeps): Route {
  return route({
    method: 'GET',
    path: '/logout',
    summary: 'End all sessions of the caller.',
    access: 'public',
    async handle({ user, query }) {
      if (user.name !== ANONYMOUS.name) await sessions.closeAll(user.name)
      const target = query.get('post_logout_redirect_uri') ?? ''
      if (target === '') return { message: 'success' }
      // Only to where a client may send users anyway: an open redirect is a phisher's friend.
      if (!URL.canParse(target) || !clients.anyAllows(target))
        throw badRequest('post_logout_redirect_uri is not allowed')
      const location = new URL(target)
      const state = query.get('state')
      if (state !== null) location.searchParams.append('state', state)
      return new Reply(302, { Location: location.href, 'Content-Type': 'text/plain' })
    },
    errors: 'text',
  })
}
