/** From the policy of a project to the policy of Kubernetes (resources.md §14.10). */
import { TerminalError } from '../../controller/index.js'
import {
  inNamespace,
  type NamespaceNetworkPolicyObject,
  type NetworkPolicySpec,
  type Peer,
  podsOf,
  portsOf,
  type ProjectPeer,
  type ServiceObject,
} from './types.js'

export type Services = (name: string, namespace: string) => Readonly<ServiceObject> | undefined

/** @throws TerminalError when a service is named that is not there or has no pods of its own */
export function converted(
  { spec = {} }: Readonly<NamespaceNetworkPolicyObject>,
  services: Services,
): NetworkPolicySpec {
  const { ingress, egress } = spec
  return {
    podSelector: {},
    policyTypes: [...(ingress ? (['Ingress'] as const) : []), ...(egress ? (['Egress'] as const) : [])],
    ...(ingress && {
      ingress: ingress.map(({ ports = [], from = [] }) => ({
        ...(ports.length > 0 && { ports }),
        // Nobody named is everybody.
        ...(from.length > 0 && {
          from: from.map((peer) => plainPeer(peer) ?? servicePeer(peer, services).pods),
        }),
      })),
    }),
    ...(egress && { egress: egress.flatMap((rule) => egressRules(rule, services)) }),
  }
}

/** A service is a rule of its own, for its ports are where it listens. Nobody named is nobody. */
function egressRules(
  { ports = [], to = [] }: NonNullable<NonNullable<NamespaceNetworkPolicyObject['spec']>['egress']>[number],
  services: Services,
): NonNullable<NetworkPolicySpec['egress']> {
  const plain = to.flatMap((peer) => plainPeer(peer) ?? [])
  const ofServices = to.filter((peer) => plainPeer(peer) === undefined)
  return [
    ...ofServices.map((peer) => {
      const { pods, service } = servicePeer(peer, services)
      return { to: [pods], ports: portsOf(service) }
    }),
    ...(plain.length > 0 ? [{ to: plain, ...(ports.length > 0 && { ports }) }] : []),
  ]
}

function plainPeer({ namespace, ipBlock }: ProjectPeer): Peer | undefined {
  if (namespace) return inNamespace(namespace.name)
  return ipBlock && { ipBlock }
}

function servicePeer(
  { service: named }: ProjectPeer,
  services: Services,
): { pods: Peer; service: ServiceObject } {
  if (!named) throw new TerminalError('a peer names neither a namespace, a service nor addresses')
  const service = services(named.name, named.namespace)
  const pods = service && podsOf(service)
  if (!pods)
    throw new TerminalError(`service ${named.namespace}/${named.name} is not there or selects no pods`)
  return { pods, service }
}
