/** networking.k8s.io/v1 NetworkPolicy. */
import { isIP } from 'node:net'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Faults, forbidden, invalidValue, labelSelector, required, unsupported } from '../faults.js'
import { numberOrName } from '../pods/containers.js'
import { type KindRules } from '../rules.js'
import { type IntOrString, type LabelSelector } from '../types.js'

interface Peer {
  podSelector?: LabelSelector
  namespaceSelector?: LabelSelector
  ipBlock?: { cidr: string; except?: string[] }
}

interface Port {
  protocol?: string
  port?: IntOrString
}

interface NetworkPolicy extends KubeObject {
  spec: {
    podSelector: LabelSelector
    ingress?: { ports?: Port[]; from?: Peer[] }[]
    egress?: { ports?: Port[]; to?: Peer[] }[]
    policyTypes?: string[]
  }
}

const view = (object: object) => object as NetworkPolicy

const TYPES = ['Ingress', 'Egress']
const PROTOCOLS = ['TCP', 'UDP', 'SCTP']

export const networkPolicy: KindRules = {
  hasGeneration: true,
  defaults(object) {
    const { spec } = view(object)
    for (const { ports = [] } of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of ports) port.protocol ??= 'TCP'
    }
    spec.policyTypes ??= (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress']
  },
  validate(object) {
    const { spec } = view(object)
    const faults = labelSelector('spec.podSelector', spec.podSelector)
    ;(spec.ingress ?? []).forEach(({ ports = [], from = [] }, i) => {
      faults.push(...ruleFaults(`spec.ingress[${i}]`, ports, 'from', from))
    })
    ;(spec.egress ?? []).forEach(({ ports = [], to = [] }, i) => {
      faults.push(...ruleFaults(`spec.egress[${i}]`, ports, 'to', to))
    })
    const types = spec.policyTypes ?? []
    if (types.length > 2) {
      faults.push(invalidValue('spec.policyTypes', types, 'may not specify more than two policyTypes'))
      return faults
    }
    types.forEach((type, i) => {
      if (!TYPES.includes(type)) faults.push(unsupported(`spec.policyTypes[${i}]`, type, TYPES))
    })
    return faults
  },
}

function ruleFaults(field: string, ports: Port[], side: 'from' | 'to', peers: Peer[]): Faults {
  return [
    ...ports.flatMap(({ protocol, port }, i) => {
      const at = `${field}.ports[${i}]`
      return [
        ...(protocol !== undefined && !PROTOCOLS.includes(protocol)
          ? [unsupported(`${at}.protocol`, protocol, PROTOCOLS)]
          : []),
        ...(port === undefined ? [] : numberOrName(`${at}.port`, port)),
      ]
    }),
    ...peers.flatMap((peer, i) => peerFaults(`${field}.${side}[${i}]`, peer)),
  ]
}

function peerFaults(field: string, peer: Peer): Faults {
  const faults: Faults = []
  const count = Number(Boolean(peer.podSelector)) + Number(Boolean(peer.namespaceSelector))
  faults.push(...labelSelector(`${field}.podSelector`, peer.podSelector))
  faults.push(...labelSelector(`${field}.namespaceSelector`, peer.namespaceSelector))
  if (peer.ipBlock) {
    faults.push(...blockFaults(`${field}.ipBlock`, peer.ipBlock))
    if (count > 0) faults.push(forbidden(field, 'may not specify both ipBlock and another peer'))
  } else if (count === 0) faults.push(required(field, 'must specify a peer'))
  return faults
}

function blockFaults(field: string, { cidr, except = [] }: { cidr: string; except?: string[] }): Faults {
  if (cidr === '') return [required(`${field}.cidr`)]
  const why = 'not a valid CIDR'
  return [
    ...(isCidr(cidr) ? [] : [invalidValue(`${field}.cidr`, cidr, why)]),
    ...except.flatMap((text, i) => (isCidr(text) ? [] : [invalidValue(`${field}.except[${i}]`, text, why)])),
  ]
}

export function isCidr(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/')
  const family = isIP(address)
  return (
    rest.length === 0 && family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
  )
}
