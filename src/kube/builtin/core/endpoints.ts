/** v1 Endpoints. */
import { isIP } from 'node:net'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Faults, invalidValue, name, oneOf, portNumber, required } from '../faults.js'
import { type KindRules } from '../rules.js'

interface EndpointAddress {
  ip: string
  hostname?: string
  nodeName?: string
}

interface EndpointPort {
  name?: string
  port: number
  protocol?: string
}

interface Endpoints extends KubeObject {
  subsets?: {
    addresses?: EndpointAddress[]
    notReadyAddresses?: EndpointAddress[]
    ports?: EndpointPort[]
  }[]
}

const view = (object: object) => object as Endpoints

export const endpoints: KindRules = {
  allowCreateOnUpdate: true,
  defaults(object) {
    for (const { ports = [] } of view(object).subsets ?? []) for (const port of ports) port.protocol ??= 'TCP'
  },
  validate: (object) =>
    (view(object).subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }, i) => {
      const at = `subsets[${i}]`
      const faults: Faults = []
      if (addresses.length === 0 && notReadyAddresses.length === 0) {
        faults.push(required(at, 'must specify `addresses` or `notReadyAddresses`'))
      }
      return [
        ...faults,
        ...addresses.flatMap((address, j) => addressFaults(`${at}.addresses[${j}]`, address)),
        ...notReadyAddresses.flatMap((address, j) => addressFaults(`${at}.notReadyAddresses[${j}]`, address)),
        ...ports.flatMap((port, j) => portFaults(`${at}.ports[${j}]`, port, ports.length > 1)),
      ]
    }),
}

const REFUSED: readonly [RegExp, string][] = [
  [/^0\.0\.0\.0$|^::$/, 'may not be unspecified (0.0.0.0)'],
  [/^127\.|^::1$/, 'may not be in the loopback range (127.0.0.0/8)'],
  [/^169\.254\.|^fe80:/i, 'may not be in the link-local range (169.254.0.0/16)'],
  [/^224\.0\.0\./, 'may not be in the link-local multicast range (224.0.0.0/24)'],
]

function addressFaults(field: string, { ip, hostname, nodeName }: EndpointAddress): Faults {
  const faults: Faults = []
  if (isIP(ip) === 0) {
    faults.push(
      invalidValue(`${field}.ip`, ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'),
    )
  }
  if (hostname) faults.push(...name('label', `${field}.hostname`, hostname))
  if (nodeName !== undefined) faults.push(...name('subdomain', `${field}.nodeName`, nodeName))
  // Asked a second time by another rule.
  if (isIP(ip) === 0) faults.push(invalidValue(`${field}.ip`, ip, 'must be a valid IP address'))
  for (const [range, why] of REFUSED) if (range.test(ip)) faults.push(invalidValue(`${field}.ip`, ip, why))
  return faults
}

function portFaults(field: string, port: EndpointPort, named: boolean): Faults {
  const faults: Faults = []
  if (port.name) faults.push(...name('label', `${field}.name`, port.name))
  else if (named) faults.push(required(`${field}.name`))
  faults.push(...portNumber(`${field}.port`, port.port))
  faults.push(...oneOf(`${field}.protocol`, port.protocol, ['SCTP', 'TCP', 'UDP']))
  return faults
}
