/** How a namespace is isolated, and the policy that does it (resources.md §14.10). */
import { isIPv6 } from 'node:net'
import { WORKSPACE } from '../../tenancy/names.js'
import { type NamespaceObject, type WorkspaceObject } from '../../tenancy/types.js'
import {
  inNamespace,
  type NetworkPolicySpec,
  type Peer,
  podsOf,
  portsOf,
  type ServiceObject,
} from './types.js'

/** By its own annotation, or with all of its workspace. */
export type Isolation = 'namespace' | 'workspace' | undefined

const ISOLATE = 'kubesphere.io/network-isolate'
const SNAT_ADDRESSES = 'kubesphere.io/snat-node-ips'

export function isolationOf(
  { metadata }: Readonly<NamespaceObject>,
  workspace: Readonly<WorkspaceObject> | undefined,
): Isolation {
  if (metadata.labels?.[WORKSPACE] === undefined) return undefined
  if (metadata.annotations?.[ISOLATE] === 'enabled') return 'namespace'
  return workspace?.spec?.networkIsolation === true ? 'workspace' : undefined
}

export interface Surroundings {
  /** Namespaces that may always reach in. */
  allowed: readonly string[]
  /** Whose traffic comes from the addresses of nodes. */
  nodeAddresses: readonly string[]
  /** Set when the project has rules about what its pods may reach: then names must still be found. */
  dns?: { service: Readonly<ServiceObject> | undefined }
}

export function isolationPolicy(
  { metadata }: Readonly<NamespaceObject>,
  isolation: NonNullable<Isolation>,
  { allowed, nodeAddresses, dns }: Surroundings,
): NetworkPolicySpec {
  const own: Peer =
    isolation === 'namespace'
      ? inNamespace(metadata.name ?? '')
      : { namespaceSelector: { matchLabels: { [WORKSPACE]: metadata.labels?.[WORKSPACE] ?? '' } } }
  const blocks = nodeAddresses.map((address) => ({ ipBlock: { cidr: host(address) } }))
  return {
    podSelector: {},
    policyTypes: dns ? ['Ingress', 'Egress'] : ['Ingress'],
    ingress: [{ from: [own, ...allowed.map(inNamespace)] }, ...(blocks.length > 0 ? [{ from: blocks }] : [])],
    ...(dns && { egress: [NODE_LOCAL_DNS, ...clusterDns(dns.service)] }),
  }
}

const NODE_LOCAL_DNS = {
  to: [{ ipBlock: { cidr: '169.254.25.10/32' } }],
  ports: [
    { protocol: 'TCP', port: 53 },
    { protocol: 'UDP', port: 53 },
  ],
}

function clusterDns(service: Readonly<ServiceObject> | undefined): { to: Peer[]; ports: object[] }[] {
  const pods = service && podsOf(service)
  return pods ? [{ to: [pods], ports: portsOf(service) }] : []
}

/** The addresses that nodes say their pods come from, each once, in order. */
export function snatAddresses(
  nodes: Iterable<{ metadata: { annotations?: Record<string, string> } }>,
): string[] {
  const all = [...nodes].flatMap(({ metadata }) => (metadata.annotations?.[SNAT_ADDRESSES] ?? '').split(';'))
  return [...new Set(all.map((address) => address.trim()))].filter((address) => address !== '').sort()
}

const host = (address: string): string => `${address}/${isIPv6(address) ? 128 : 32}`
