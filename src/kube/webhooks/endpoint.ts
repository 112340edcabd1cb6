/** Where a webhook is reached: its URL, or an address behind its service. */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Service } from '../builtin/types.js'
import { type Objects } from '../objects.js'

export interface ClientConfig {
  url?: string
  service?: { namespace: string; name: string; path?: string; port?: number }
  /** PEM in base64. */
  caBundle?: string
}

export interface Endpoint {
  url: URL
  /** What is dialled, and the name that its certificate must have. */
  dial: { host: string; port: number; serverName: string }
}

interface Endpoints extends KubeObject {
  subsets?: { addresses?: { ip: string }[]; ports?: { name?: string; port: number }[] }[]
}

/** @throws Error that says why there is no way */
export function endpointOf(objects: Objects, { url, service }: ClientConfig): Endpoint {
  if (url !== undefined) {
    const parsed = new URL(url)
    const host = parsed.hostname.replace(/^\[|\]$/g, '')
    return { url: parsed, dial: { host, port: Number(parsed.port) || 443, serverName: host } }
  }
  if (!service) throw new Error('the webhook has neither a URL nor a service')
  const { namespace, name, path = '', port = 443 } = service
  const serverName = `${name}.${namespace}.svc`
  const target = new URL(`https://${serverName}:${port}${path.startsWith('/') ? path : `/${path}`}`)
  return { url: target, dial: { ...addressOf(objects, namespace, name, port), serverName } }
}

function addressOf(
  objects: Objects,
  namespace: string,
  name: string,
  port: number,
): { host: string; port: number } {
  const service = objects.get<Service>('', 'services', namespace, name)
  if (!service) throw new Error(`service ${JSON.stringify(name)} not found`)
  const { spec } = service
  if (spec.type === 'ExternalName') return { host: spec.externalName ?? '', port }
  const served = spec.ports?.find((each) => each.port === port)
  if (!served) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`)
  const endpoints = objects.get<Endpoints>('', 'endpoints', namespace, name)
  for (const { addresses = [], ports = [] } of endpoints?.subsets ?? []) {
    const target = ports.find((each) => (each.name ?? '') === (served.name ?? '')) ?? ports[0]
    if (addresses[0] && target) return { host: addresses[0].ip, port: target.port }
  }
  throw new Error(`no endpoints available for service ${JSON.stringify(name)}`)
}
