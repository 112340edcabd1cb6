/** Finds out who asks. In process the caller says so itself. */
import { type Filter } from '../chain.js'
import { type Authenticate } from '../interfaces.js'

export function authenticationFilter(authenticate: Authenticate): Filter {
  return {
    name: 'authentication',
    handle(exchange, next) {
      const { request } = exchange
      const { headers, peerCertificate } = request
      const user = request.user ?? authenticate({ headers, ...(peerCertificate && { peerCertificate }) })
      if (user instanceof Promise) {
        return user.then((found) => {
          exchange.user = found
          return next()
        })
      }
      exchange.user = user
      return next()
    },
  }
}
