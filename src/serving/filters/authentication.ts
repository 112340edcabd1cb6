/** Finds out who asks. Wrong credentials end the request here with 401. */
import { StatusError } from '../../apimachinery/errors/index.js'
import { type UserInfo } from '../../apimachinery/meta/types.js'
import { type Authenticator } from '../../authentication/interface.js'
import { type Exchange, type Filter } from '../exchange.js'

export function authentication(authenticator: Authenticator): Filter {
  function identify(exchange: Exchange): UserInfo | Promise<UserInfo> {
    const { request, info } = exchange
    const { sourceIP, userAgent } = info
    return authenticator.authenticate({ headers: request.headers, sourceIP, userAgent }, exchange)
  }

  return {
    name: 'authentication',
    handle(exchange, next) {
      const go = (user: UserInfo): Promise<void> => {
        exchange.user = user
        return next()
      }
      const user = identify(exchange)
      return user instanceof Promise ? user.then(go) : go(user)
    },
    async explain(exchange) {
      try {
        exchange.user = await identify(exchange)
      } catch (error) {
        if (!(error instanceof StatusError)) throw error
        return { outcome: 'answers', summary: `${error.code}: ${error.message}` }
      }
      const { name, groups } = exchange.user
      const summary = `user ${name}${groups.length === 0 ? '' : `, groups ${groups.join(', ')}`}`
      return { outcome: 'continues', summary, detail: exchange.user }
    },
  }
}
