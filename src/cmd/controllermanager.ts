/** `orrery controller-manager`: the platform's controllers alone. */
import { hostname } from 'node:os'
import { createInformerSet } from '../client/cache/informerset.js'
import { runLeaderElection } from '../client/leaderelection.js'
import { startControllers } from './controllers.js'
import { runUntil, type Stoppable, untilSignalled } from './lifetime.js'
import { createLogger } from './logger.js'
import { kubeconfigFor, loadForCommand, type LogLevel } from './options.js'
import { connect } from './realcluster.js'
import { startWebhooks, type WebhookFlags } from './webhooks.js'

export interface ControllerManagerFlags extends WebhookFlags {
  config?: string
  kubeconfig?: string
  leaderElect: boolean
  /** Patterns of controller names. Default: all. */
  controllers?: string[]
  logLevel: LogLevel
}

export async function controllerManager(flags: ControllerManagerFlags): Promise<void> {
  const signalled = untilSignalled()
  const logger = createLogger(flags.logLevel)
  const { options, file, warnings } = loadForCommand(flags)
  for (const { path, message } of warnings) logger.warn({ file, key: path }, message)
  const kubeconfig = kubeconfigFor(options.kubernetes.kubeconfig)
  const { transport, server, address } = connect(kubeconfig)
  const informers = createInformerSet({ transport, logger, userAgent: 'orrery-controller-manager' })
  // By every replica, whoever leads.
  const webhooks = await startWebhooks(flags, kubeconfig === 'in-cluster', transport, informers, logger)
  const stop = new AbortController()
  let working: Stoppable | undefined
  const work = (): void => {
    working = startControllers({
      options,
      upstream: transport,
      informers,
      logger,
      kubernetes: address,
      ...(flags.controllers && { selection: flags.controllers }),
    })
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
        await webhooks?.close()
        await working?.close()
        await informers.close()
        await transport.close()
      },
    },
    (text) => logger.info({}, text),
  )
}
