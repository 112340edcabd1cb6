/** Which container of a pod a request means, and what that container is doing. */
import { badRequest } from '../../apimachinery/errors/index.js'
import { type Container, type Pod } from '../builtin/types.js'
import { type Objects } from '../objects.js'
import { type Behaviour, behaviourOf } from './behaviour/behaviour.js'
import { type Environment, environmentOf } from './behaviour/environment.js'
import { type Rules } from './rules/index.js'
import { type ContainerReport } from './kubelet/status.js'

export interface Meant {
  container: Readonly<Container>
  report: ContainerReport | undefined
  environment: Environment
  behaviour: Behaviour
}

/** @throws StatusError 400 when it is not clear which, or there is none of that name */
export function containerMeant(
  { objects, rules }: { objects: Objects; rules: Rules },
  pod: Readonly<Pod>,
  asked: string | null,
): Meant {
  const { containers, initContainers = [] } = pod.spec
  const { name: podName = '' } = pod.metadata
  const all = [...initContainers, ...(containers ?? [])]
  if (!asked && (containers ?? []).length > 1) {
    const names = (containers ?? []).map(({ name }) => name).join(' ')
    const init =
      initContainers.length > 0
        ? ` or one of the init containers: [${initContainers.map(({ name }) => name).join(' ')}]`
        : ''
    throw badRequest(
      `a container name must be specified for pod ${podName}, choose one of: [${names}]${init}`,
    )
  }
  const container = asked ? all.find(({ name }) => name === asked) : containers?.[0]
  if (!container) throw badRequest(`container ${asked ?? ''} is not valid for pod ${podName}`)
  const reports = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])]
  const report = reports.find(({ name }) => name === container.name) as ContainerReport | undefined
  const environment = environmentOf(objects, pod, container)
  return { container, report, environment, behaviour: behaviourOf(pod, container, environment, rules) }
}
