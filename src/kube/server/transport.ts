/** The server as a transport for callers in the same process: no socket, no copy, the same chain. */
import { type Dispatched, type ResponseSink, type Transport } from '../../client/transport.js'
import { type ServerRequest } from './exchange.js'

export function inProcessTransport(
  handle: (request: ServerRequest, sink: ResponseSink) => Dispatched,
): Transport {
  return {
    dispatch: (request, sink) => handle({ ...request, sourceIP: '' }, sink),
    async upgrade() {
      throw new Error('upgrades are not served in process')
    },
    async close() {},
  }
}
