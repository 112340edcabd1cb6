/**
 * `/proxy` below pods, services and nodes. The network of pods is not there, and an API server that dials whatever an
 * Endpoints object names is a way into the network of its host: nothing is dialled. Simulated pods answer here; of others
 * it is found out what would be dialled, and then refused in the words of a genuine server.
 */
import { badRequest, notFound, unavailable } from '../../../apimachinery/errors/index.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Pod, type Service } from '../../builtin/types.js'
import { parse, served } from '../../registry/served.js'
import { type ResourceDefinition } from '../../registry/strategy.js'
import { type Api } from '../api.js'
import { type Exchange } from '../exchange.js'

interface Endpoints extends KubeObject {
  subsets?: {
    addresses?: { ip: string; targetRef?: { kind?: string; name?: string; namespace?: string } }[]
    ports?: { name?: string; port: number }[]
  }[]
}

/** @throws StatusError 400, 404, 503 when nobody answers */
export async function proxy(api: Api, exchange: Exchange, definition: ResourceDefinition): Promise<void> {
  const { namespace, name: id, rest } = exchange.requestInfo
  const { name, port } = target(definition, id)
  const { resource } = definition
  if (resource === 'nodes') {
    const node = stored(api, 'nodes', '', name)
    if (!(await answered(api, exchange, 'nodes', node))) throw unreachable(port ? `${name}:${port}` : name)
    return
  }
  const found =
    resource === 'services' ? podBehind(api, namespace, name, port, id) : podOf(api, namespace, name, port)
  if (rest.length === 0 && !exchange.pathname.endsWith('/')) return redirect(exchange)
  const at = found.port === '' ? '80' : found.port
  if (!(await answered(api, exchange, 'pods', found.pod, at))) throw unreachable(`${found.ip}:${at}`)
}

const unreachable = (address: string): Error =>
  unavailable(`error trying to reach service: this server is not connected to the network of ${address}`)

/** Relative links of a page work below a path that ends in a slash. */
function redirect(exchange: Exchange): void {
  const { path } = exchange.request
  const question = path.indexOf('?')
  const location = `${exchange.pathname}/${question < 0 ? '' : path.slice(question)}`
  exchange.answer(301, 'text/plain; charset=utf-8', Buffer.alloc(0), { location })
}

/** Lets whoever plays the node answer, with the port that was found out. */
async function answered(
  api: Api,
  exchange: Exchange,
  resource: 'pods' | 'nodes',
  parent: KubeObject,
  port = '',
): Promise<boolean> {
  const connect = api.connections[`${resource}/proxy`]
  return connect ? await connect(exchange, parent, port) : false
}

interface Found {
  pod: Pod
  ip: string
  port: string
}

/** @throws StatusError 400 for a pod without an address, 404 */
function podOf(api: Api, namespace: string, name: string, asked: string): Found {
  const pod = stored(api, 'pods', namespace, name) as Pod
  const [first] = (pod.spec.containers ?? []).flatMap(({ ports = [] }) => ports)
  const port = asked || String(first?.containerPort ?? '')
  const ip = pod.status.podIP
  if (!ip) throw badRequest('address not allowed')
  return { pod, ip, port }
}

/** One of the pods that the Endpoints name; addresses that are no pod's of the namespace do not count. @throws StatusError 404, 503 */
function podBehind(api: Api, namespace: string, name: string, asked: string, id: string): Found {
  const portName = /^\d+$/.test(asked) ? nameOfPort(api, namespace, name, Number(asked)) : asked
  const { subsets = [] } = stored(api, 'endpoints', namespace, name) as Endpoints
  if (subsets.length === 0) throw unavailable(`no endpoints available for service ${JSON.stringify(name)}`)
  for (const { addresses = [], ports = [] } of subsets) {
    const port = ports.find((each) => (each.name ?? '') === portName)
    if (!port) continue
    for (const { ip, targetRef } of addresses) {
      if (targetRef?.kind !== 'Pod' || (targetRef.namespace ?? namespace) !== namespace) continue
      const pod = lookUp(api, 'pods', namespace, targetRef.name ?? '') as Pod | undefined
      if (pod && pod.status.podIP === ip) return { pod, ip, port: String(port.port) }
    }
  }
  throw unavailable(`no endpoints available for service ${JSON.stringify(id)}`)
}

/** @throws StatusError 404, 503 */
function nameOfPort(api: Api, namespace: string, name: string, port: number): string {
  const { spec } = stored(api, 'services', namespace, name) as Service
  const found = (spec.ports ?? []).find((each) => each.port === port)
  if (!found) throw unavailable(`no service port ${port} found for service ${JSON.stringify(name)}`)
  return found.name ?? ''
}

/** `name`, `name:port` or `scheme:name:port`. @throws StatusError 400 */
function target({ resource }: ResourceDefinition, id: string): { name: string; port: string } {
  const parts = id.split(':')
  const [first = '', second = '', third = ''] = parts
  if (parts.length === 3 && /^(https?)?$/.test(first) && second !== '') return { name: second, port: third }
  if (parts.length < 3 && first !== '') return { name: first, port: second }
  throw badRequest(`invalid ${resource.replace(/s$/, '')} request ${JSON.stringify(id)}`)
}

function lookUp(api: Api, resource: string, namespace: string, name: string): KubeObject | undefined {
  const definition = api.catalogue.get('', 'v1', resource)
  const entry = definition && api.storage.get(served(definition).key(namespace, name))
  return entry && parse(entry.value)
}

/** @throws StatusError 404 */
function stored(api: Api, resource: string, namespace: string, name: string): KubeObject {
  const found = lookUp(api, resource, namespace, name)
  if (!found) throw notFound({ group: '', resource }, name)
  return found
}
