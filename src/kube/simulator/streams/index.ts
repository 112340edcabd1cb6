/** What a simulated node answers below its pods and itself; what cannot be simulated says so at once. */
import { unavailable } from '../../../apimachinery/errors/index.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Pod } from '../../builtin/types.js'
import { type Collection } from '../../controllers/collections.js'
import { type Node } from '../../scheduling/types.js'
import { type Connect } from '../../server/api.js'
import { type Exchange } from '../../server/exchange.js'
import { SIMULATED } from '../labels.js'
import { type Rules } from '../rules/index.js'
import { summaryOf } from '../metrics/summary.js'
import { pageAt } from './pages.js'
import { servePortForward } from './portforward.js'
import { type ExecDeps, serveAttach, serveExec } from './exec.js'
import { serveLog } from './logs.js'

export interface ConnectionDeps extends ExecDeps {
  nodes: Collection<Node>
  podsOn: (node: string) => Iterable<Readonly<Pod>>
}

export function connections(deps: ConnectionDeps): Record<string, Connect> {
  const { nodes, podsOn, clock } = deps
  const isSimulated = (name = ''): boolean => nodes.get('', name)?.metadata.labels?.[SIMULATED] === 'true'
  const forPods =
    (
      serve: (deps: ExecDeps, exchange: Exchange, pod: Readonly<Pod>) => boolean | Promise<boolean>,
    ): Connect =>
    (exchange, parent) => {
      const pod = parent as Pod
      return isSimulated(pod.spec.nodeName) ? serve(deps, exchange, pod) : false
    }
  return {
    'pods/log': forPods(serveLog),
    'pods/exec': forPods(serveExec),
    'pods/attach': forPods(serveAttach),
    'pods/portforward': forPods((_deps, exchange, { metadata }) => {
      const { namespace = '', name = '' } = metadata
      return servePortForward(deps.rules, exchange, () => deps.objects.get<Pod>('', 'pods', namespace, name))
    }),
    'pods/proxy': (exchange, parent, port = '') => {
      const pod = parent as Pod
      return isSimulated(pod.spec.nodeName) && servePage(deps.rules, exchange, pod, port)
    },
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

/** What answers at a port of a pod, through its own proxy or that of a Service. @throws StatusError 503 */
function servePage(rules: Rules, exchange: Exchange, pod: Readonly<Pod>, port: string): boolean {
  const { rest } = exchange.requestInfo
  const page = pageAt(rules, pod, Number(port), `${exchange.method} /${rest.join('/')}`)
  if (!page) {
    const address = `${pod.status.podIP ?? ''}:${port}`
    throw unavailable(
      `error trying to reach service: dial tcp ${address}: connect: connection refused (the pod is simulated: none of its containers that run declares this port)`,
    )
  }
  exchange.answer(200, page.type, Buffer.from(page.text))
  return true
}
