/**
 * Sends requests that name a member cluster there; those for this cluster go on without the prefix.
 *
 * The interface is what a later multi-cluster module brings. Without one nothing is rewritten, so paths with
 * `clusters/{c}` find no route after authorization.
 */
import { type Exchange, type Filter } from '../exchange.js'

export interface ClusterDispatcher {
  /** Where a request for this cluster goes: this server, a member, or nowhere. Does no I/O. */
  locate(cluster: string): ClusterTarget
  /** Answers the request from the member. Only called for what `locate` calls a member. */
  forward(exchange: Exchange, cluster: string): Promise<void>
}

export type ClusterTarget =
  | { kind: 'host' }
  | { kind: 'member'; description: string }
  /** @throws by the filter: unknown or not ready */
  | { kind: 'none'; error: Error }

export function clusterDispatch(dispatcher: ClusterDispatcher | undefined): Filter {
  return {
    name: 'cluster dispatch',
    handle(exchange, next) {
      const { cluster } = exchange.info
      if (cluster === '' || !dispatcher) return next()
      const target = dispatcher.locate(cluster)
      if (target.kind === 'none') throw target.error
      if (target.kind === 'member') return dispatcher.forward(exchange, cluster)
      stripCluster(exchange, cluster)
      return next()
    },
    async explain(exchange) {
      const { cluster } = exchange.info
      if (cluster === '') return { outcome: 'continues', summary: 'this cluster' }
      if (!dispatcher) {
        const summary = `cluster "${cluster}" named, but multi-cluster is off: the path will not be found`
        return { outcome: 'continues', summary }
      }
      const target = dispatcher.locate(cluster)
      if (target.kind === 'none') return { outcome: 'answers', summary: target.error.message }
      if (target.kind === 'member') {
        return { outcome: 'answers', summary: `forwarded to cluster "${cluster}": ${target.description}` }
      }
      stripCluster(exchange, cluster)
      return { outcome: 'continues', summary: `cluster "${cluster}" is this one` }
    },
  }
}

/** RequestInfo stays as it is: it is what the authorizer judges, with the cluster in it. */
function stripCluster(exchange: Exchange, cluster: string): void {
  const [, prefix = '', , , ...rest] = exchange.path.split('/')
  if (exchange.path.startsWith(`/${prefix}/clusters/`) && cluster !== '') {
    exchange.path = ['', prefix, ...rest].join('/')
  }
}
