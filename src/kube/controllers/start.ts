/**
 * Starts the controllers of the embedded API, by name, and the simulated nodes.
 *
 * Those of workloads run where there are nodes to run pods: without, a Deployment would leave pods behind that wait for
 * ever, and state that was recorded elsewhere would begin to move.
 */
import { RestClient } from '../../client/rest.js'
import { type Transport } from '../../client/transport.js'
import { controllerSelection, EventWriter, type Manager } from '../../controller/index.js'
import { type Pod, type ResourceList } from '../builtin/types.js'
import { type Connect } from '../server/api.js'
import { type Logger } from '../server/interfaces.js'
import { isMeasured, podUsage, written } from '../simulator/metrics/usage.js'
import { type Rules } from '../simulator/rules/index.js'
import { startSimulator } from '../simulator/index.js'
import { type Collections } from './collections.js'
import { type ControllersDeps, kubeControllers } from './index.js'
import { workloadControllers } from './workloads.js'
import { CONTROLLER_USER } from './writer.js'

/** False: none. Patterns: as `controllerSelection` reads them. True: those that fit the number of nodes. */
export type ControllerChoice = boolean | readonly string[]

export interface StartDeps extends ControllersDeps {
  collections: Collections
  manager: Manager
  transport: Transport
  logger: Logger
  /** Simulated nodes. */
  nodes: number
  kubeletVersion: string
  /** What simulated containers do. */
  rules: Rules
  connections: Record<string, Connect>
}

/** @returns stop what the manager does not */
export async function startControllers(
  deps: StartDeps,
  choice: ControllerChoice,
): Promise<() => Promise<void>> {
  const { manager, clock, logger, nodes, transport } = deps
  const isWanted = controllerChoice(choice)
  const client = new RestClient({ transport, user: CONTROLLER_USER, userAgent: 'kube-controller-manager' })
  const events = new EventWriter({ client, logger, now: () => clock.now() })
  const recorder = (component: string) => events.recorder(component)
  const fits = nodes > 0 || Array.isArray(choice)
  const usageOf = (pod: Readonly<Pod>): ResourceList | undefined =>
    nodes > 0 && isMeasured(pod) ? written(podUsage(pod, clock.now())) : undefined
  const needed = kubeControllers(deps)
  const workloads = Object.entries(workloadControllers({ ...deps, recorder, usageOf }))
  const names = [
    ...needed.map(({ name }) => name),
    ...workloads.map(([name]) => name),
    'scheduler',
    'kubelet',
  ]
  const unknown = typeof choice === 'boolean' ? undefined : unknownNames(choice, names)
  if (unknown !== undefined) {
    await events.close()
    throw new Error(unknown)
  }
  for (const controller of needed) if (isWanted(controller.name)) manager.start(controller)
  for (const [name, make] of workloads) {
    if (fits && isWanted(name)) manager.start(make())
  }
  const stopSimulator = nodes > 0 ? await startSimulator({ ...deps, recorder, isWanted }) : undefined
  return async () => {
    stopSimulator?.()
    await events.close()
  }
}

/** @returns what to tell of patterns that name no controller */
function unknownNames(patterns: readonly string[], known: readonly string[]): string | undefined {
  const unknown = patterns.filter((each) => each !== '*' && !known.includes(each.replace(/^-/, '')))
  if (unknown.length === 0) return undefined
  return `The embedded API has no controller ${unknown.join(', ')}. There are: ${[...known].sort().join(', ')}.`
}

/** Whether a controller is chosen, by name. */
export function controllerChoice(choice: ControllerChoice): (name: string) => boolean {
  if (typeof choice === 'boolean') return () => choice
  return choice.length === 0 ? () => false : controllerSelection(choice)
}
