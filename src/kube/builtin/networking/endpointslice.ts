/** discovery.k8s.io EndpointSlice, in both versions. */
import { isIP } from 'node:net'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import {
  duplicate,
  type Faults,
  immutable,
  invalidValue,
  name,
  portName,
  required,
  unsupported,
} from '../faults.js'
import { type KindRules } from '../rules.js'

interface EndpointSlice extends KubeObject {
  addressType: string
  endpoints: { addresses: string[] | null; hostname?: string }[] | null
  ports?: { name?: string; protocol?: string; port?: number }[] | null
}

const view = (object: object) => object as EndpointSlice

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']

export const endpointSlice: KindRules = {
  hasGeneration: true,
  defaults(object) {
    for (const port of view(object).ports ?? []) {
      port.name ??= ''
      port.protocol ??= 'TCP'
    }
  },
  validate(object) {
    const { addressType, endpoints, ports } = view(object)
    const faults: Faults = []
    if (addressType === '') faults.push(required('addressType'))
    else if (!ADDRESS_TYPES.includes(addressType)) {
      faults.push(unsupported('addressType', addressType, ADDRESS_TYPES))
    }
    ;(endpoints ?? []).forEach(({ addresses, hostname }, i) => {
      const at = `endpoints[${i}]`
      const list = addresses ?? []
      if (list.length === 0) faults.push(required(`${at}.addresses`, 'must contain at least 1 address'))
      list.forEach((address, j) =>
        faults.push(...addressFaults(`${at}.addresses[${j}]`, address, addressType)),
      )
      if (hostname) faults.push(...name('label', `${at}.hostname`, hostname))
    })
    const names = new Set<string>()
    ;(ports ?? []).forEach((port, i) => {
      const at = `ports[${i}]`
      if (port.name) faults.push(...portName(`${at}.name`, port.name))
      if (names.has(port.name ?? '')) faults.push(duplicate(`${at}.name`, port.name ?? ''))
      names.add(port.name ?? '')
      if (port.protocol !== undefined && !PROTOCOLS.includes(port.protocol)) {
        faults.push(unsupported(`${at}.protocol`, port.protocol, PROTOCOLS))
      }
    })
    return faults
  },
  validateUpdate: (object, previous) =>
    immutable('addressType', view(object).addressType, view(previous).addressType),
}

function addressFaults(field: string, address: string, type: string): Faults {
  if (type === 'IPv4' && isIP(address) !== 4) {
    return [invalidValue(field, address, 'must be a valid IPv4 address')]
  }
  if (type === 'IPv6' && isIP(address) !== 6) {
    return [invalidValue(field, address, 'must be a valid IPv6 address')]
  }
  return type === 'FQDN' ? name('subdomain', field, address.replace(/\.$/, '')) : []
}
