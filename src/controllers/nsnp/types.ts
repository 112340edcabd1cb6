/** Policies of projects, and the policies of Kubernetes that are made of them. */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { NAMESPACE } from '../../tenancy/names.js'

export interface Port {
  protocol?: string
  port?: number | string
}

export interface ProjectPeer {
  namespace?: { name: string }
  service?: { name: string; namespace: string }
  ipBlock?: IpBlock
}

interface IpBlock {
  cidr: string
  except?: string[]
}

export interface NamespaceNetworkPolicyObject extends KubeObject {
  spec?: {
    ingress?: { ports?: Port[]; from?: ProjectPeer[] }[]
    egress?: { ports?: Port[]; to?: ProjectPeer[] }[]
  }
}

export interface Peer {
  namespaceSelector?: { matchLabels: Record<string, string> }
  podSelector?: { matchLabels: Record<string, string> }
  ipBlock?: IpBlock
}

export interface NetworkPolicySpec {
  podSelector: object
  policyTypes: ('Ingress' | 'Egress')[]
  ingress?: { ports?: Port[]; from?: Peer[] }[]
  egress?: { ports?: Port[]; to?: Peer[] }[]
}

export interface NetworkPolicyObject extends KubeObject {
  spec?: NetworkPolicySpec
}

export interface ServiceObject extends KubeObject {
  spec?: {
    selector?: Record<string, string> | null
    ports?: { protocol?: string; port: number; targetPort?: number | string }[]
  }
}

export const PREFIX = 'nsnp-'
/** The policy of an isolated project; no policy of a project may make one of that name. */
export const ISOLATION = `${PREFIX}network-isolate`

export function inNamespace(name: string): Peer {
  return { namespaceSelector: { matchLabels: { [NAMESPACE]: name } } }
}

/** The pods of a service. @returns undefined when it chooses none by itself */
export function podsOf({ metadata, spec = {} }: Readonly<ServiceObject>): Peer | undefined {
  const { selector } = spec
  if (!selector || Object.keys(selector).length === 0) return undefined
  return { ...inNamespace(metadata.namespace ?? ''), podSelector: { matchLabels: selector } }
}

/** Where the pods of a service listen: policies are about pods, not about what leads to them. */
export function portsOf({ spec = {} }: Readonly<ServiceObject>): Port[] {
  return (spec.ports ?? []).map(({ protocol = 'TCP', port, targetPort }) => ({
    protocol,
    port: targetPort === undefined || targetPort === 0 || targetPort === '' ? port : targetPort,
  }))
}
