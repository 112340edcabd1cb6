/** `orrery kube`: the embedded Kubernetes API alone. */
import { announce, dataDirectory, withdraw } from './datadir.js'
import { startEmbedded } from './embedded.js'
import { runUntil, untilSignalled } from './lifetime.js'
import { createLogger } from './logger.js'
import { type LogLevel } from './options.js'

export interface KubeFlags {
  dataDir: string
  memory: boolean
  kubePort: number
  bindAddress: string
  nodes: number
  stages?: string
  /** Of the embedded API, by name. */
  kubeControllers?: string[]
  logLevel: LogLevel
}

export async function kube(flags: KubeFlags): Promise<void> {
  const signalled = untilSignalled()
  const startedAt = performance.now()
  const logger = createLogger(flags.logLevel)
  const data = dataDirectory(flags.dataDir)
  const running = await startEmbedded({ ...flags, data, logger })
  if (!flags.memory) announce(data, { pid: process.pid, url: running.url ?? '' })
  process.stdout.write(
    `The Kubernetes API is ready at ${running.url ?? ''}, ${Math.round(performance.now() - startedAt)} ms after the start.\n` +
      `  kubectl --kubeconfig ${data.kubeconfig} get namespaces\n`,
  )
  await runUntil(
    signalled,
    {
      async close() {
        await running.close()
        if (!flags.memory) withdraw(data)
      },
    },
    (text) => logger.info({}, text),
  )
}
