/** Where a Service's pods are reached: what Endpoints and EndpointSlices are both made from. */
import {
  type Container,
  type ObjectReference,
  type Pod,
  type Service,
  type ServicePort,
} from '../../builtin/types.js'
import { isEnding, isReady } from '../pods/state.js'

export interface ResolvedPort {
  name?: string
  port: number
  protocol: string
  appProtocol?: string
}

export interface PodAddress {
  pod: Readonly<Pod>
  ip: string
  nodeName?: string
  hostname?: string
  ready: boolean
  /** Ready as to its probes, whatever the Service thinks of pods that are not. */
  serving: boolean
  terminating: boolean
  ports: ResolvedPort[]
}

/** Those of the Service's pods that have an address; `ending` too when asked for. */
export function addressesOf(
  service: Readonly<Service>,
  pods: readonly Readonly<Pod>[],
  { ending = false } = {},
): PodAddress[] {
  const { publishNotReadyAddresses = false } = service.spec
  const found: PodAddress[] = []
  for (const pod of pods) {
    const { podIP } = pod.status
    const terminating = isEnding(pod)
    if (!podIP || !mayServe(pod) || (terminating && !ending && !publishNotReadyAddresses)) continue
    const ports = portsOf(service, pod)
    if (ports === undefined) continue
    const { hostname, subdomain, nodeName } = pod.spec
    const serving = isReady(pod)
    found.push({
      pod,
      ip: podIP,
      ...(nodeName && { nodeName }),
      ...(hostname && subdomain === service.metadata.name && { hostname }),
      ready: publishNotReadyAddresses || (serving && !terminating),
      serving,
      terminating,
      ports,
    })
  }
  return found.sort((a, b) => ((a.pod.metadata.name ?? '') < (b.pod.metadata.name ?? '') ? -1 : 1))
}

/** A pod that has done its work serves no more. */
function mayServe({ spec, status }: Readonly<Pod>): boolean {
  if (spec.restartPolicy === 'Never') return status.phase !== 'Failed' && status.phase !== 'Succeeded'
  return spec.restartPolicy !== 'OnFailure' || status.phase !== 'Succeeded'
}

/** @returns undefined when the Service has ports and the pod has none of them */
function portsOf({ spec }: Readonly<Service>, pod: Readonly<Pod>): ResolvedPort[] | undefined {
  const wanted = spec.ports ?? []
  const found = wanted.flatMap((port): ResolvedPort[] => {
    const number = portNumber(port, pod)
    if (number === undefined) return []
    const { name, protocol = 'TCP', appProtocol } = port
    return [{ ...(name && { name }), port: number, protocol, ...(appProtocol && { appProtocol }) }]
  })
  return wanted.length > 0 && found.length === 0 ? undefined : found
}

function portNumber(
  { targetPort, port, protocol = 'TCP' }: ServicePort,
  pod: Readonly<Pod>,
): number | undefined {
  if (typeof targetPort === 'number') return targetPort || port
  const containers: Container[] = pod.spec.containers ?? []
  for (const { ports = [] } of containers) {
    const found = ports.find((each) => each.name === targetPort && (each.protocol ?? 'TCP') === protocol)
    if (found) return found.containerPort
  }
  return undefined
}

export function referenceTo({ metadata }: Readonly<Pod>): ObjectReference & { resourceVersion?: string } {
  const { namespace = '', name = '', uid = '', resourceVersion } = metadata
  return { kind: 'Pod', namespace, name, uid, ...(resourceVersion && { resourceVersion }) }
}
