/** Finds out who asks. In process the caller says so itself. */
import { type Filter } from '../chain.js'
import { type Authenticate } from '../interfaces.js'

export function authenticationFilter(authenticate: Authenticate): Filter {
  return {
    name: 'authentication',
    async handle(exchange, next) {
      const { request } = exchange
      exchange.user =
        request.user ??
        (await authenticate({
          headers: request.headers,
          ...(request.peerCertificate && { peerCertificate: request.peerCertificate }),
        }))
      await next()
    },
  }
}
