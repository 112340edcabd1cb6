/** Reads method and URL once; what cannot be read is refused before anybody is asked who it is. */
import { type Filter } from '../chain.js'

export const requestInfoFilter: Filter = {
  name: 'request info',
  handle(exchange, next) {
    void exchange.requestInfo
    return next()
  },
}
