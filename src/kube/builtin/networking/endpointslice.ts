/**
 * discovery.k8s.io EndpointSlice, in both versions. The beta is that of 1.20: the node of an endpoint is told by its
 * topology, and whether it serves or ends is not told (gates that are closed).
 */
import { isIP } from 'node:net'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import {
  duplicate,
  type Faults,
  immutable,
  invalidValue,
  labels,
  name,
  qualifiedName,
  required,
  unsupported,
} from '../faults.js'
import { type KindRules } from '../rules.js'
import { type StringMap } from '../types.js'

interface Endpoint {
  addresses: string[] | null
  conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean }
  hostname?: string
  nodeName?: string
  topology?: StringMap
}

interface EndpointSlice extends KubeObject {
  addressType: string
  endpoints: Endpoint[] | null
  ports?: { name?: string; protocol?: string; port?: number; appProtocol?: string }[] | null
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
    ;(endpoints ?? []).forEach(({ addresses, hostname, topology }, i) => {
      const at = `endpoints[${i}]`
      const list = addresses ?? []
      if (list.length === 0) faults.push(required(`${at}.addresses`, 'must contain at least 1 address'))
      list.forEach((address, j) =>
        faults.push(...addressFaults(`${at}.addresses[${j}]`, address, addressType)),
      )
      if (hostname) faults.push(...name('label', `${at}.hostname`, hostname))
      faults.push(...labels(`${at}.topology`, topology))
    })
    const names = new Set<string>()
    ;(ports ?? []).forEach((port, i) => {
      const at = `ports[${i}]`
      if (port.name) faults.push(...name('label', `${at}.name`, port.name))
      if (names.has(port.name ?? '')) faults.push(duplicate(`${at}.name`, port.name ?? ''))
      names.add(port.name ?? '')
      if (port.protocol !== undefined && !PROTOCOLS.includes(port.protocol)) {
        faults.push(unsupported(`${at}.protocol`, port.protocol, PROTOCOLS))
      }
      if (port.appProtocol !== undefined) faults.push(...qualifiedName(`${at}.appProtocol`, port.appProtocol))
    })
    return faults
  },
  validateUpdate: (object, previous) =>
    immutable('addressType', view(object).addressType, view(previous).addressType),
}

export const endpointSliceBeta: KindRules = {
  ...endpointSlice,
  prepareForCreate: (object) => dropGated(object, false),
  prepareForUpdate: (object, previous) =>
    dropGated(object, (view(previous).endpoints ?? []).some(tellsItsEnd)),
}

const tellsItsEnd = ({ conditions }: Endpoint): boolean =>
  conditions?.serving !== undefined || conditions?.terminating !== undefined

/** @param inUse whether the stored slice tells already which endpoints end */
function dropGated(object: KubeObject, inUse: boolean): void {
  for (const endpoint of view(object).endpoints ?? []) {
    delete endpoint.nodeName
    if (inUse) continue
    delete endpoint.conditions?.serving
    delete endpoint.conditions?.terminating
  }
}

function addressFaults(field: string, address: string, type: string): Faults {
  if (type === 'IPv4' && isIP(address) !== 4) {
    return [invalidValue(field, address, 'must be a valid IPv4 address')]
  }
  if (type === 'IPv6' && isIP(address) !== 6) {
    return [invalidValue(field, address, 'must be a valid IPv6 address')]
  }
  if (type !== 'FQDN') return []
  const host = address.replace(/\.$/, '')
  const faults = name('subdomain', field, host)
  if (faults.length > 0 || host.includes('.')) return faults
  return [invalidValue(field, address, 'should be a domain with at least two segments separated by dots')]
}
