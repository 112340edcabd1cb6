/** `orrery apiserver`: the platform API alone. */
import { readFileSync } from 'node:fs'
import { createInformerSet } from '../client/cache/informerset.js'
import { createServer } from '../serving/server.js'
import { ConfigurationError } from '../configuration/load.js'
import { UsageError } from './failures.js'
import { installFirstData, tellPassword } from './firstdata.js'
import { runUntil, untilSignalled } from './lifetime.js'
import { createLogger } from './logger.js'
import { kubeconfigFor, loadForCommand, type LogLevel } from './options.js'
import { createPlatform } from './platform.js'
import { connect } from './realcluster.js'
import { configuredRecords } from './records.js'

export interface ApiserverFlags {
  config?: string
  kubeconfig?: string
  port: number
  bindAddress: string
  /** Default: 256. */
  maxRequestsInflight?: number
  securePort?: number
  tlsCertFile?: string
  tlsPrivateKey?: string
  install: boolean
  logLevel: LogLevel
}

export async function apiserver(flags: ApiserverFlags): Promise<void> {
  const signalled = untilSignalled()
  const startedAt = performance.now()
  const logger = createLogger(flags.logLevel)
  const { options, file, warnings } = loadForCommand(flags)
  for (const { path, message } of warnings) logger.warn({ file, key: path }, message)
  if (options.authentication.jwtSecret === '') {
    throw new ConfigurationError(file, [
      { path: 'authentication.jwtSecret', message: 'JWT secret MUST not be empty' },
    ])
  }
  const tls = serving(flags)
  const { transport, server: upstreamName } = connect(kubeconfigFor(options.kubernetes.kubeconfig))
  const informers = createInformerSet({ transport, logger, userAgent: 'orrery-apiserver' })
  const stop = new AbortController()
  const firstData = flags.install
    ? installFirstData({
        upstream: transport,
        informers,
        host: flags.bindAddress,
        logger,
        signal: stop.signal,
      })
    : undefined
  if (firstData) tellPassword(firstData, logger)
  const records = configuredRecords(options)
  const platform = createPlatform({
    options,
    upstream: transport,
    upstreamName,
    informers,
    ...(firstData && { firstData }),
    logger,
    records: records.stores,
    auditArchive: records.auditArchive,
  })
  const server = createServer({ handler: platform.handler.handle, logger, ...(tls && { tls }) })
  const { port } = await server.listen({ host: flags.bindAddress, port: flags.securePort ?? flags.port })
  process.stdout.write(
    `The platform API listens on ${tls ? 'https' : 'http'}://${flags.bindAddress}:${port}, ` +
      `${Math.round(performance.now() - startedAt)} ms after the start, in front of ${upstreamName}.\n`,
  )
  await runUntil(
    signalled,
    {
      async close() {
        stop.abort()
        await server.close()
        await platform.close()
        await records.close()
        await informers.close()
        await transport.close()
      },
    },
    (text) => logger.info({}, text),
  )
}

function serving({
  securePort,
  tlsCertFile,
  tlsPrivateKey,
}: ApiserverFlags): { cert: Buffer; key: Buffer } | undefined {
  if (securePort === undefined || securePort === 0) return undefined
  if (tlsCertFile === undefined || tlsPrivateKey === undefined) {
    throw new UsageError('--secure-port needs --tls-cert-file and --tls-private-key.')
  }
  try {
    return { cert: readFileSync(tlsCertFile), key: readFileSync(tlsPrivateKey) }
  } catch (error) {
    throw new UsageError(`The certificate or its key cannot be read: ${(error as Error).message}`)
  }
}
