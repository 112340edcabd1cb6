/** `orrery controller-manager`: the platform's controllers alone. */
import { hostname } from 'node:os'
import { createInformerSet } from '../client/cache/informerset.js'
import { runLeaderElection } from '../client/leaderelection.js'
import { startControllers } from './controllers.js'
import { runUntil, type Stoppable, untilSignalled } from './lifetime.js'
import { createLogger } from './logger.js'
import { kubeconfigFor, loadForCommand, type LogLevel } from './options.js'
import { connect } from './realcluster.js'

export interface ControllerManagerFlags {
  config?: string
  kubeconfig?: string
  leaderElect: boolean
  logLevel: LogLevel
}

export async function controllerManager(flags: ControllerManagerFlags): Promise<void> {
  const signalled = untilSignalled()
  const logger = createLogger(flags.logLevel)
  const { options, file, warnings } = loadForCommand(flags)
  for (const { path, message } of warnings) logger.warn({ file, key: path }, message)
  const { transport, server } = connect(kubeconfigFor(options.kubernetes.kubeconfig))
  const stop = new AbortController()
  let working: Stoppable | undefined
  const work = (): void => {
    const informers = createInformerSet({ transport, logger, userAgent: 'orrery-controller-manager' })
    const controllers = startControllers({ options, upstream: transport, informers, logger })
    working = {
      async close() {
        await controllers.close()
        await informers.close()
      },
    }
    process.stdout.write(`The controllers work on ${server}.\n`)
  }
  if (flags.leaderElect) {
    void runLeaderElection({
      transport,
      namespace: 'kubesphere-system',
      name: 'ks-controller-manager-leader-election',
      identity: `${hostname()}_${process.pid}`,
      logger,
      signal: stop.signal,
      onLeading: work,
      // Two managers at work would undo each other: whoever loses the lease ends.
      onLost: () => process.exit(1),
    })
    process.stdout.write(`Waiting for the lease on ${server}.\n`)
  } else work()
  await runUntil(
    signalled,
    {
      async close() {
        stop.abort()
        await working?.close()
        await transport.close()
      },
    },
    (text) => logger.info({}, text),
  )
}
