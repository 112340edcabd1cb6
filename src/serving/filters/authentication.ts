/** Finds out who asks. Wrong credentials end the request here with 401. */
import { StatusError } from '../../apimachinery/errors/index.js'
import { type Authenticator } from '../../authentication/interface.js'
import { type Exchange, type Filter } from '../exchange.js'

export function authentication(authenticator: Authenticator): Filter {
  async function identify(exchange: Exchange): Promise<void> {
    const { request, info } = exchange
    const { sourceIP, userAgent } = info
    const asked = { headers: request.headers, sourceIP, userAgent }
    exchange.user = await authenticator.authenticate(asked, exchange)
  }

  return {
    name: 'authentication',
    async handle(exchange, next) {
      await identify(exchange)
      return next()
    },
    async explain(exchange) {
      try {
        await identify(exchange)
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
