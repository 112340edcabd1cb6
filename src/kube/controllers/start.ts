/**
 * Starts the controllers of the embedded API, by name.
 *
 * Those of workloads run where there are nodes to run pods: without, a Deployment would leave pods behind that wait for
 * ever, and state that was recorded elsewhere would begin to move.
 */
import { RestClient } from '../../client/rest.js'
import { type Transport } from '../../client/transport.js'
import { controllerSelection, EventWriter, type Manager } from '../../controller/index.js'
import { type Pod, type ResourceList } from '../builtin/types.js'
import { type Logger } from '../server/interfaces.js'
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
  usageOf?: (pod: Readonly<Pod>) => ResourceList | undefined
}

/** @returns stop what the manager does not */
export function startControllers(
  deps: StartDeps,
  choice: ControllerChoice,
  withWorkloads: boolean,
): () => Promise<void> {
  const { manager, clock, logger } = deps
  const isWanted = controllerChoice(choice)
  for (const controller of kubeControllers(deps)) if (isWanted(controller.name)) manager.start(controller)

  const client = new RestClient({
    transport: deps.transport,
    user: CONTROLLER_USER,
    userAgent: 'kube-controller-manager',
  })
  const events = new EventWriter({ client, logger, now: () => clock.now() })
  const workloads = workloadControllers({ ...deps, recorder: (component) => events.recorder(component) })
  for (const [name, make] of Object.entries(workloads)) {
    const fits = withWorkloads || Array.isArray(choice)
    if (fits && isWanted(name)) manager.start(make())
  }
  return () => events.close()
}

/** Whether a controller is chosen, by name. */
export function controllerChoice(choice: ControllerChoice): (name: string) => boolean {
  if (typeof choice === 'boolean') return () => choice
  return choice.length === 0 ? () => false : controllerSelection(choice)
}
