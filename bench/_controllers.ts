/** Runs the platform's controllers on an embedded API until they have nothing left to do. */
import { Passwords } from '../src/authentication/passwords.js'
import { createInformerSet } from '../src/client/cache/informerset.js'
import { RestClient } from '../src/client/rest.js'
import { PLATFORM } from '../src/client/writer.js'
import { loadConfiguration } from '../src/configuration/load.js'
import { EventWriter, Manager } from '../src/controller/index.js'
import { type KubernetesAddress } from '../src/controllers/deps.js'
import { platformControllers } from '../src/controllers/index.js'
import { type Kube } from '../src/kube/index.js'
import { SILENT } from '../src/serving/log.js'
import { tenancyResources } from '../src/tenancy/resources.js'

/** CPU of everything: the lists, the caches, and the API that is written to. */
export async function untilIdle(
  kube: Kube,
  kubernetes?: KubernetesAddress,
): Promise<{ cpuMs: number; writes: number }> {
  const startedAt = process.cpuUsage()
  const revision = kube.storage.revision
  const informers = createInformerSet({ transport: kube.transport, logger: SILENT, user: PLATFORM })
  const client = new RestClient({ transport: kube.transport, user: PLATFORM })
  const events = new EventWriter({ client, logger: SILENT })
  const manager = new Manager({ clock: CLOCK, logger: SILENT })
  const { options } = loadConfiguration({ directories: [], environment: {} })
  const resources = tenancyResources(informers, client)
  const controllers = platformControllers({
    resources,
    events,
    informers,
    client,
    options,
    passwords: new Passwords(),
    logger: SILENT,
    ...(kubernetes && { kubernetes }),
  })
  for (const controller of controllers) manager.start(controller)
  await resources.roles.informer.whenSynced()
  // What has been asked for is signed by the API's own controller, at its pace.
  const isSettled = (): boolean =>
    manager.idle && [...kube.objects.list('certificates.k8s.io', 'certificatesigningrequests')].length === 0
  for (let quiet = 0; quiet < 10; quiet = isSettled() ? quiet + 1 : 0)
    await new Promise((resolve) => setTimeout(resolve, 100))
  await events.drained()
  const { user, system } = process.cpuUsage(startedAt)
  await manager.close()
  await events.close()
  await informers.close()
  return { cpuMs: (user + system) / 1_000, writes: kube.storage.revision - revision }
}

const CLOCK = {
  now: () => Date.now(),
  after(ms: number, action: () => void): () => void {
    const timer = setTimeout(action, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
}
