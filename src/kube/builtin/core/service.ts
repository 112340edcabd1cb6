/**
 * v1 Service: ports, types, and the addresses given to it.
 *
 * Addresses come from `ServiceAddresses`, which must have adopted the stored services before the first
 * write. A dry run takes nothing: no cluster IP, and node ports from 32769 up, as the original invents them.
 */
import { isIP } from 'node:net'
import { type FieldFault } from '../../../apimachinery/errors/index.js'
import { type RequestContext } from '../../registry/strategy.js'
import {
  duplicate,
  type Faults,
  forbidden,
  go,
  goTexts,
  invalidValue,
  labels,
  name,
  oneOf,
  portNumber,
  qualifiedName,
  required,
  same,
  unsupported,
} from '../faults.js'
import { isCidr } from '../networking/networkpolicy.js'
import { numberOrName } from '../pods/containers.js'
import { type KindRules } from '../rules.js'
import { type Service, type ServicePort } from '../types.js'
import { type ServiceAddresses } from './serviceaddresses.js'

const view = (object: object) => object as Service

export function serviceRules(addresses: ServiceAddresses): KindRules {
  return {
    nameRule: 'service',
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: false,
    defaults: (object) => defaultSpec(view(object).spec),
    prepareForCreate(object, context) {
      const service = view(object)
      service.status = { loadBalancer: {} }
      dropGated(service.spec)
      normalise(service.spec)
      // A service that will be refused must not hold an address.
      if (specFaults(service).length > 0) return
      allocate(addresses, service, undefined, context)
    },
    prepareForUpdate(object, previous, context) {
      const service = view(object)
      if (context.subresource === 'status') return
      dropGated(service.spec)
      keepAddresses(service.spec, view(previous).spec)
      normalise(service.spec, view(previous).spec)
      if (specFaults(service).length > 0) return
      allocate(addresses, service, view(previous), context)
    },
    validate: (object) => specFaults(view(object)),
    validateUpdate: (object, previous) => updateFaults(view(object).spec, view(previous).spec),
    afterDelete: (object) => addresses.release(view(object)),
  }
}

type Spec = Service['spec']

const needsAddress = ({ type }: Spec) => type !== 'ExternalName'
const needsNodePorts = ({ type }: Spec) => type === 'NodePort' || type === 'LoadBalancer'
const needsHealthPort = ({ type, externalTrafficPolicy }: Spec) =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local'

function defaultSpec(spec: Spec): void {
  spec.sessionAffinity ??= 'None'
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  if (spec.sessionAffinity === 'ClientIP') {
    spec.sessionAffinityConfig ??= {}
    spec.sessionAffinityConfig.clientIP ??= {}
    spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= 10800
  }
  spec.type ??= 'ClusterIP'
  for (const port of spec.ports ?? []) {
    port.protocol ??= 'TCP'
    if (port.targetPort === 0 || port.targetPort === '') port.targetPort = port.port
  }
  if (needsNodePorts(spec)) spec.externalTrafficPolicy ??= 'Cluster'
}

/** Two address families, and routing by topology, come with later releases: their gates are closed. */
function dropGated(spec: Spec & Gated): void {
  for (const field of GATED) delete spec[field]
  if (spec.clusterIPs && spec.clusterIPs.length > 1) spec.clusterIPs.splice(1)
}

const GATED = ['ipFamilies', 'ipFamilyPolicy', 'topologyKeys', 'allocateLoadBalancerNodePorts'] as const
type Gated = { [field in (typeof GATED)[number]]?: unknown }

/** `clusterIP` tells the same as `clusterIPs`, which older clients do not know: it may be given, or changed, alone. */
function normalise(spec: Spec, previous?: Spec): void {
  const { clusterIP, clusterIPs } = spec
  if (clusterIP !== undefined) {
    const untouched = previous
      ? previous.clusterIP !== clusterIP && same(clusterIPs, previous.clusterIPs)
      : false
    const isNew = clusterIPs === undefined && (!previous?.clusterIP || previous.clusterIP === clusterIP)
    if (untouched || isNew) spec.clusterIPs = [clusterIP]
  }
  if (!needsAddress(spec) && spec.clusterIP === undefined) delete spec.clusterIPs
}

/** An update that leaves an assigned address out keeps it. */
function keepAddresses(after: Spec, before: Spec): void {
  if (needsAddress(after) && needsAddress(before)) {
    if (after.clusterIP === undefined && before.clusterIP !== undefined) {
      after.clusterIP = before.clusterIP
      if (after.clusterIPs === undefined && before.clusterIPs) after.clusterIPs = [...before.clusterIPs]
    }
  } else if (!needsAddress(after) && after.clusterIP === before.clusterIP) {
    delete after.clusterIP
    delete after.clusterIPs
  }
  if (needsNodePorts(after) && needsNodePorts(before)) {
    const key = ({ protocol, port }: ServicePort) => `${protocol}/${port}`
    const known = new Map((before.ports ?? []).map((port) => [key(port), port.nodePort]))
    const used = new Set((after.ports ?? []).map(({ nodePort }) => nodePort))
    for (const port of after.ports ?? []) {
      const was = known.get(key(port))
      if (port.nodePort === undefined && was !== undefined && !used.has(was)) port.nodePort = was
    }
  } else if (!needsNodePorts(after) && needsNodePorts(before)) {
    const known = new Set((before.ports ?? []).map(({ nodePort }) => nodePort))
    for (const port of after.ports ?? []) {
      if (port.nodePort !== undefined && known.has(port.nodePort)) delete port.nodePort
    }
    if (after.externalTrafficPolicy === before.externalTrafficPolicy) delete after.externalTrafficPolicy
  }
  if (needsHealthPort(after) && needsHealthPort(before) && before.healthCheckNodePort !== undefined) {
    after.healthCheckNodePort ??= before.healthCheckNodePort
  } else if (!needsHealthPort(after) && needsHealthPort(before)) {
    if (after.healthCheckNodePort === before.healthCheckNodePort) delete after.healthCheckNodePort
  }
}

function allocate(
  addresses: ServiceAddresses,
  service: Service,
  previous: Service | undefined,
  context: RequestContext,
): void {
  addresses.assign(service, previous, context.dryRun, {
    address: needsAddress(service.spec),
    nodePorts: needsNodePorts(service.spec),
    healthPort: needsHealthPort(service.spec),
  })
}

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']

function specFaults({ metadata, spec }: Service): Faults {
  const faults: Faults = []
  const ports = spec.ports ?? []
  const headless = spec.clusterIP === 'None'
  if (ports.length === 0 && !headless && spec.type !== 'ExternalName') faults.push(required('spec.ports'))
  if (spec.type === 'LoadBalancer') {
    ports.forEach(({ port }, i) => {
      if (port === 10250) {
        const why = 'may not expose port 10250 externally since it is used by kubelet'
        faults.push(invalidValue(`spec.ports[${i}]`, port, why))
      }
    })
    if (headless) {
      faults.push(
        invalidValue('spec.clusterIPs[0]', 'None', "may not be set to 'None' for LoadBalancer services"),
      )
    }
  } else if (spec.type === 'NodePort' && headless) {
    faults.push(invalidValue('spec.clusterIPs[0]', 'None', "may not be set to 'None' for NodePort services"))
  } else if (spec.type === 'ExternalName') {
    faults.push(...externalNameFaults(spec))
  }
  faults.push(...portFaults(spec))
  faults.push(...labels('spec.selector', spec.selector))
  if (spec.sessionAffinity === undefined) faults.push(required('spec.sessionAffinity'))
  else faults.push(...oneOf('spec.sessionAffinity', spec.sessionAffinity, ['ClientIP', 'None']))
  const timeout = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds
  if (timeout !== undefined && (timeout <= 0 || timeout > 86400)) {
    const field = 'spec.sessionAffinityConfig.clientIP.timeoutSeconds'
    faults.push(invalidValue(field, timeout, 'must be greater than 0 and less than 86400'))
  }
  faults.push(...clusterAddressFaults(spec))
  ;(spec.externalIPs ?? []).forEach((ip, i) => {
    faults.push(...nonSpecialIP(`spec.externalIPs[${i}]`, ip))
  })
  if (spec.type === undefined) faults.push(required('spec.type'))
  else if (!TYPES.includes(spec.type)) faults.push(unsupported('spec.type', spec.type, TYPES))
  if (!needsNodePorts(spec)) {
    ports.forEach(({ nodePort }, i) => {
      if (nodePort !== undefined) {
        const why = "may not be used when `type` is 'ClusterIP'"
        if (spec.type === 'ClusterIP') faults.push(forbidden(`spec.ports[${i}].nodePort`, why))
      }
    })
  }
  faults.push(...repeatedPortFaults(ports))
  faults.push(...sourceRangeFaults(spec, metadata.annotations))
  faults.push(...trafficPolicyFaults(spec))
  // What does not go together is looked at where each by itself is right.
  return faults.length > 0 ? faults : combinationFaults(spec)
}

const RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges'

/** Who may reach a load balancer: a field, or the annotation that was there before it. */
function sourceRangeFaults(spec: Spec, annotations: Readonly<Record<string, string>> = {}): Faults {
  const ranges = spec.loadBalancerSourceRanges ?? []
  const annotation = annotations[RANGES]?.trim()
  if (ranges.length === 0 && annotation === undefined) return []
  const [field, value, given] =
    ranges.length > 0
      ? (['spec.LoadBalancerSourceRanges', `[${ranges.join(' ')}]`, ranges] as const)
      : ([
          `metadata.annotations[${RANGES}]`,
          annotation ?? '',
          annotation ? annotation.split(',') : [],
        ] as const)
  const faults: Faults = []
  if (spec.type !== 'LoadBalancer') {
    faults.push(forbidden(field, "may only be used when `type` is 'LoadBalancer'"))
  }
  if (!given.every((range) => isCidr(range.trim()))) {
    const why = 'must be a list of IP ranges. For example, 10.240.0.0/24,10.250.0.0/24 '
    faults.push(invalidValue(field, value, why))
  }
  return faults
}

function externalNameFaults(spec: Spec): Faults {
  const faults: Faults = []
  if ((spec.clusterIPs ?? []).length > 0) {
    faults.push(forbidden('spec.clusterIPs', 'may not be set for ExternalName services'))
  }
  const target = (spec.externalName ?? '').replace(/\.$/, '')
  if (target === '') faults.push(required('spec.externalName'))
  else faults.push(...name('subdomain', 'spec.externalName', target))
  return faults
}

function portFaults(spec: Spec): Faults {
  const ports = spec.ports ?? []
  const names = new Set<string>()
  return ports.flatMap((port, i) => {
    const at = `spec.ports[${i}]`
    const faults: Faults = []
    if (!port.name) {
      if (ports.length > 1) faults.push(required(`${at}.name`))
    } else {
      faults.push(...name('label', `${at}.name`, port.name))
      if (names.has(port.name)) faults.push(duplicate(`${at}.name`, port.name))
      names.add(port.name)
    }
    faults.push(...portNumber(`${at}.port`, port.port))
    if (!port.protocol) faults.push(required(`${at}.protocol`))
    else if (!PROTOCOLS.includes(port.protocol)) {
      faults.push(unsupported(`${at}.protocol`, port.protocol, PROTOCOLS))
    }
    faults.push(...numberOrName(`${at}.targetPort`, port.targetPort))
    if (port.appProtocol !== undefined) {
      faults.push(...qualifiedName(`${at}.appProtocol`, port.appProtocol))
    }
    return faults
  })
}

function clusterAddressFaults({ clusterIP, clusterIPs, type }: Spec): Faults {
  if (type === 'ExternalName') return []
  const [first] = clusterIPs ?? []
  if (first === undefined) return clusterIP ? [required('spec.clusterIPs')] : []
  const faults: Faults = []
  if (!clusterIP) {
    faults.push(invalidValue('spec.clusterIPs', goTexts(clusterIPs), 'must be empty when clusterIP is empty'))
  } else if (first !== clusterIP) {
    faults.push(invalidValue('spec.clusterIPs', goTexts(clusterIPs), 'element [0] must match clusterIP'))
  }
  if (first !== 'None' && isIP(first) === 0) {
    const why = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
    faults.push(invalidValue('spec.clusterIPs[0]', first, why))
  }
  return faults
}

function nonSpecialIP(field: string, ip: string): Faults {
  if (isIP(ip) === 0)
    return [invalidValue(field, ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
  const refusals: [RegExp, string][] = [
    [/^0\.0\.0\.0$|^::$/, 'may not be unspecified (0.0.0.0)'],
    [/^127\.|^::1$/, 'may not be in the loopback range (127.0.0.0/8)'],
    [/^169\.254\.|^fe80:/i, 'may not be in the link-local range (169.254.0.0/16)'],
    [/^224\.0\.0\./, 'may not be in the link-local multicast range (224.0.0.0/24)'],
  ]
  return refusals.filter(([range]) => range.test(ip)).map(([, why]) => invalidValue(field, ip, why))
}

function repeatedPortFaults(ports: ServicePort[]): Faults {
  const taken = new Set<string>()
  const nodePorts = new Set<string>()
  const faults: FieldFault[] = []
  ports.forEach((port, i) => {
    const node = `${port.protocol}/${port.nodePort}`
    if (port.nodePort !== undefined) {
      if (nodePorts.has(node)) faults.push(duplicate(`spec.ports[${i}].nodePort`, port.nodePort))
      nodePorts.add(node)
    }
  })
  ports.forEach((port, i) => {
    const key = `${port.protocol}/${port.port}`
    if (taken.has(key)) {
      // The original compares ports that say nothing else.
      const rest = 'TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:""}, NodePort:0'
      const protocol = JSON.stringify(port.protocol ?? '')
      const shown = `Name:"", Protocol:${protocol}, AppProtocol:(*string)(nil), Port:${port.port}, ${rest}`
      faults.push(duplicate(`spec.ports[${i}]`, go(`core.ServicePort{${shown}}`)))
    }
    taken.add(key)
  })
  return faults
}

function trafficPolicyFaults({ externalTrafficPolicy: policy, healthCheckNodePort: port = 0 }: Spec): Faults {
  const faults: Faults = []
  if (policy !== undefined && policy !== 'Cluster' && policy !== 'Local') {
    const why = 'ExternalTrafficPolicy must be empty, Cluster or Local'
    faults.push(invalidValue('spec.externalTrafficPolicy', policy, why))
  }
  if (port < 0) {
    faults.push(invalidValue(HEALTH_PORT, port, 'HealthCheckNodePort must be not less than 0'))
  }
  return faults
}

const HEALTH_PORT = 'spec.healthCheckNodePort'

function combinationFaults(spec: Spec): Faults {
  const { externalTrafficPolicy: policy, healthCheckNodePort: port } = spec
  const faults: Faults = []
  if (policy !== undefined && !needsNodePorts(spec)) {
    const why = 'ExternalTrafficPolicy can only be set on NodePort and LoadBalancer service'
    faults.push(invalidValue('spec.externalTrafficPolicy', policy, why))
  }
  if (port !== undefined && !needsHealthPort(spec)) {
    const why = 'HealthCheckNodePort can only be set on LoadBalancer service with ExternalTrafficPolicy=Local'
    faults.push(invalidValue(HEALTH_PORT, port, why))
  }
  return faults
}

function updateFaults(after: Spec, before: Spec): Faults {
  const faults: Faults = []
  const bothWait =
    needsHealthPort(after) && needsHealthPort(before) && before.healthCheckNodePort !== undefined
  if (bothWait && after.healthCheckNodePort !== before.healthCheckNodePort) {
    const why =
      'cannot change healthCheckNodePort on loadBalancer service with externalTraffic=Local during update'
    faults.push(invalidValue(HEALTH_PORT, after.healthCheckNodePort ?? 0, why))
  }
  if (!needsAddress(after) || !needsAddress(before) || before.clusterIP === undefined) return faults
  const [is] = after.clusterIPs ?? []
  if (is === before.clusterIP) return faults
  const why = is === undefined ? 'primary clusterIP can not be unset' : 'may not change once set'
  return [...faults, invalidValue('spec.clusterIPs[0]', goTexts(after.clusterIPs), why)]
}
