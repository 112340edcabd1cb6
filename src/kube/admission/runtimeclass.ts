/** RuntimeClass: a pod takes over the overhead and the scheduling of its class. */
import { parseQuantity } from '../../apimachinery/quantity/index.js'
import { equal } from '../../apimachinery/json/value.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Pod, type Toleration } from '../builtin/types.js'
import { type Objects } from '../objects.js'
import { type AdmissionPlugin, type AdmissionRequest } from '../registry/strategy.js'
import { isAbout, refusal } from './refusal.js'

type Resources = Record<string, string>

interface RuntimeClass extends KubeObject {
  overhead?: { podFixed?: Resources }
  scheduling?: { nodeSelector?: Record<string, string>; tolerations?: Toleration[] }
}

export function runtimeClass(objects: Objects): AdmissionPlugin {
  const classOf = (request: AdmissionRequest, { spec }: Pod): RuntimeClass | undefined => {
    const name = spec.runtimeClassName
    if (name === undefined) return undefined
    const found = objects.get<RuntimeClass>('node.k8s.io', 'runtimeclasses', '', name)
    if (found) return found
    throw refusal(request, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`)
  }
  const concerns = (request: AdmissionRequest): boolean =>
    request.operation === 'CREATE' && isAbout(request, '', 'pods') && request.object !== undefined
  return {
    name: 'RuntimeClass',
    admit(request) {
      if (!concerns(request)) return
      const pod = request.object as Pod
      const found = classOf(request, pod)
      if (found?.overhead?.podFixed) takeOverhead(request, pod, found.overhead.podFixed)
      if (found?.scheduling) takeScheduling(request, pod, found.scheduling)
    },
    validate(request) {
      if (!concerns(request)) return
      const pod = request.object as Pod
      if (pod.spec.overhead === undefined || classOf(request, pod)?.overhead?.podFixed) return
      const why = 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead'
      throw refusal(request, why)
    },
  }
}

function takeOverhead(request: AdmissionRequest, { spec }: Pod, fixed: Resources): void {
  const amounts = (written: Resources): unknown =>
    Object.entries(written)
      .map(([name, amount]) => [name, parseQuantity(amount).toString()])
      .sort()
  if (spec.overhead !== undefined && !equal(amounts(spec.overhead), amounts(fixed))) {
    throw refusal(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
  }
  spec.overhead = { ...fixed }
}

function takeScheduling(
  request: AdmissionRequest,
  { spec }: Pod,
  { nodeSelector = {}, tolerations = [] }: NonNullable<RuntimeClass['scheduling']>,
): void {
  for (const [key, value] of Object.entries(nodeSelector)) {
    const own = spec.nodeSelector?.[key]
    if (own === undefined || own === value) continue
    throw refusal(
      request,
      `conflict: runtimeClass.Scheduling.NodeSelector[${key}] = ${value}; pod.Spec.NodeSelector[${key}] = ${own}`,
    )
  }
  if (Object.keys(nodeSelector).length > 0) spec.nodeSelector = { ...spec.nodeSelector, ...nodeSelector }
  const missing = tolerations.filter((each) => !spec.tolerations?.some((own) => equal(own, each)))
  if (missing.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...missing]
}
