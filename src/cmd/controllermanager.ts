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
  const stop = new AbortController()
  const { signal } = stop
  // By every replica, whoever leads. On a new cluster they wait for a namespace of the first data; the controllers do
  // not: what they miss is part of what they look at.
  const inCluster = kubeconfig === 'in-cluster'
  const webhooks = startWebhooks({ flags, inCluster, transport, informers, logger, signal })
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
  const running: Stoppable = {
    async close() {
      stop.abort()
      await webhooks.then(
        (served) => served?.close(),
        () => undefined,
      )
      await working?.close()
      await informers.close()
      await transport.close()
    },
  }
  await Promise.race([
    runUntil(signalled, running, (text) => logger.info({}, text)),
    webhooks.then(() => NEVER, rejectUnless(signal)),
  ])
}

const NEVER = new Promise<never>(() => undefined)

/** A port that is taken, an address that is none: the process ends with that. */
function rejectUnless(stopped: AbortSignal): (error: unknown) => Promise<never> {
  return (error) => {
    if (stopped.aborted) return NEVER
    throw error
  }
}
