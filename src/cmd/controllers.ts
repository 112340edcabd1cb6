/** Starts the platform's controllers on the informers they share. */
import { Passwords } from '../authentication/passwords.js'
import { type InformerSet } from '../client/cache/interface.js'
import { RestClient } from '../client/rest.js'
import { type Transport } from '../client/transport.js'
import { type Options } from '../configuration/options.js'
import { controllerSelection, EventWriter, Manager } from '../controller/index.js'
import { type KubernetesAddress } from '../controllers/deps.js'
import { platformControllers } from '../controllers/index.js'
import { type Logger } from '../serving/log.js'
import { tenancyResources } from '../tenancy/resources.js'

export interface ControllersDeps {
  /** Default: a queue of its own. */
  passwords?: Passwords
  options: Options
  upstream: Transport
  informers: InformerSet
  logger: Logger
  /** For kubeconfigs of users. */
  kubernetes?: KubernetesAddress
  /** Patterns of names: `*`, `name`, `-name`. Default: all. */
  selection?: readonly string[]
}

export function startControllers({
  options,
  upstream,
  informers,
  logger,
  passwords = new Passwords(),
  selection = [],
  kubernetes,
}: ControllersDeps): { close(): Promise<void> } {
  const manager = new Manager({ clock: CLOCK, logger, wanted: controllerSelection(selection) })
  const client = new RestClient({ transport: upstream })
  const events = new EventWriter({ client, logger })
  const controllers = platformControllers({
    resources: tenancyResources(informers, client),
    events,
    informers,
    client,
    options,
    passwords,
    logger,
    ...(kubernetes && { kubernetes }),
  })
  for (const controller of controllers) manager.start(controller)
  const there = new Set(controllers.map(({ name }) => name))
  for (const controller of selection.map((pattern) => pattern.replace(/^-/, '')))
    if (controller !== '*' && !there.has(controller))
      logger.warn(
        { controller },
        'there is no such controller: the name is wrong, or its configuration is missing',
      )
  logger.debug({ controllers: manager.status().map(({ name }) => name) }, 'controllers started')
  return {
    async close() {
      await manager.close()
      await events.close()
    },
  }
}

const CLOCK = {
  now: () => Date.now(),
  after(ms: number, action: () => void): () => void {
    const timer = setTimeout(action, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
}
