/**
 * `/proxy` below pods, services and nodes. The network of pods is not there, and an API server that dials whatever an
 * Endpoints object names is a way into the network of its host: what would be dialled is found out, and then refused.
 */
import { badRequest, notFound, unavailable } from '../../../apimachinery/errors/index.js'
import { type Pod, type Service } from '../../builtin/types.js'
import { parse, served } from '../../registry/served.js'
import { type ResourceDefinition } from '../../registry/strategy.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Api } from '../api.js'
import { type Exchange } from '../exchange.js'

interface Endpoints extends KubeObject {
  subsets?: { addresses?: { ip: string }[]; ports?: { name?: string; port: number }[] }[]
}

/** @throws StatusError 400, 404, 503: always one of them */
export function refuseProxy(api: Api, exchange: Exchange, definition: ResourceDefinition): never {
  const { namespace, name: id } = exchange.requestInfo
  const { name, port } = target(definition, id)
  const entry = api.storage.get(served(definition).key(namespace, name))
  if (!entry) throw notFound(definition, name)
  const object = parse(entry.value)
  const { resource } = definition
  if (resource === 'services') throw unreachable(serviceAddress(api, object as Service, port))
  const address = resource === 'pods' ? (object as Pod).status.podIP : name
  if (address === undefined) throw unavailable(`pod ${JSON.stringify(name)} does not have an IP address`)
  throw unreachable(port === '' ? address : `${address}:${port}`)
}

const unreachable = (address: string): Error =>
  unavailable(`error trying to reach service: this server is not connected to the network of ${address}`)

/** `name`, `name:port` or `scheme:name:port`. @throws StatusError 400 */
function target({ resource }: ResourceDefinition, id: string): { name: string; port: string } {
  const parts = id.split(':')
  const [first = '', second = '', third = ''] = parts
  if (parts.length === 3 && /^(https?)?$/.test(first) && second !== '') return { name: second, port: third }
  if (parts.length < 3 && first !== '') return { name: first, port: second }
  throw badRequest(`invalid ${resource.replace(/s$/, '')} request ${JSON.stringify(id)}`)
}

/** @throws StatusError 503 */
function serviceAddress(api: Api, { metadata, spec }: Service, wanted: string): string {
  const name = metadata.name ?? ''
  const port = (spec.ports ?? []).find(
    (each, _i, all) =>
      (wanted === '' && all.length === 1) || (each.name ?? '') === wanted || String(each.port) === wanted,
  )
  if (!port)
    throw unavailable(`no service port ${JSON.stringify(wanted)} found for service ${JSON.stringify(name)}`)
  const definition = api.catalogue.get('', 'v1', 'endpoints')
  const entry = definition && api.storage.get(served(definition).key(metadata.namespace ?? '', name))
  const endpoints = entry && (parse(entry.value) as Endpoints)
  for (const { addresses = [], ports = [] } of endpoints?.subsets ?? []) {
    const at = ports.find((each) => (each.name ?? '') === (port.name ?? ''))
    if (addresses[0] && at) return `${addresses[0].ip}:${at.port}`
  }
  throw unavailable(`no endpoints available for service ${JSON.stringify(name)}`)
}
