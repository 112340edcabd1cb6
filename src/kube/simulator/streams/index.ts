/** What a simulated node answers below its pods and itself; what cannot be simulated says so at once. */
import { StatusError } from '../../../apimachinery/errors/index.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Pod } from '../../builtin/types.js'
import { type Collection } from '../../controllers/collections.js'
import { type Node } from '../../scheduling/types.js'
import { type Connect } from '../../server/api.js'
import { type Exchange } from '../../server/exchange.js'
import { SIMULATED } from '../labels.js'
import { summaryOf } from '../metrics/summary.js'
import { serveAttach, serveExec } from './exec.js'
import { type LogDeps, serveLog } from './logs.js'

export interface ConnectionDeps extends LogDeps {
  nodes: Collection<Node>
  podsOn: (node: string) => Iterable<Readonly<Pod>>
}

export function connections(deps: ConnectionDeps): Record<string, Connect> {
  const { nodes, podsOn, clock } = deps
  const isSimulated = (name = ''): boolean => nodes.get('', name)?.metadata.labels?.[SIMULATED] === 'true'
  const forPods =
    (serve: (deps: LogDeps, exchange: Exchange, pod: Readonly<Pod>) => boolean | Promise<boolean>): Connect =>
    (exchange, parent) => {
      const pod = parent as Pod
      return isSimulated(pod.spec.nodeName) ? serve(deps, exchange, pod) : false
    }
  return {
    'pods/log': forPods(serveLog),
    'pods/exec': forPods(serveExec),
    'pods/attach': forPods(serveAttach),
    'pods/portforward': forPods((_deps, _exchange, pod) => nobodyListens(pod)),
    'pods/proxy': forPods((_deps, _exchange, pod) => nobodyListens(pod)),
    'nodes/proxy'(exchange, parent: KubeObject) {
      const { name = '' } = parent.metadata
      if (!isSimulated(name) || exchange.method !== 'GET') return false
      const path = exchange.requestInfo.rest.join('/')
      if (path === 'healthz') {
        exchange.answer(200, 'text/plain; charset=utf-8', Buffer.from('ok'))
        return true
      }
      if (path !== 'stats/summary') return false
      const summary = summaryOf(parent as Node, podsOn(name), clock.now())
      exchange.answer(200, 'application/json', Buffer.from(JSON.stringify(summary)))
      return true
    },
  }
}

/** @throws StatusError 503 */
function nobodyListens({ metadata }: Readonly<Pod>): never {
  throw new StatusError({
    code: 503,
    reason: 'ServiceUnavailable',
    message: `pod ${JSON.stringify(metadata.name)} is simulated: no program listens on its ports`,
  })
}
