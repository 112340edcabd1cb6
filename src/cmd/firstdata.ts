/** Installs first data in the background, and lets everything that depends on it wait for as much of it as it needs. */
import { type Bootstrapped, bootstrapPlatform, firstAdminPassword, whenSeen } from '../bootstrap/index.js'
import { type RecheckingInformerSet } from '../client/cache/informerset.js'
import { pause, systemClock } from '../client/clock.js'
import { type Transport } from '../client/transport.js'
import { type Logger } from '../serving/log.js'

export interface FirstDataDeps {
  upstream: Transport
  informers: RecheckingInformerSet
  /** Where the platform listens: what the first password may be depends on it. */
  host: string
  logger: Logger
  signal: AbortSignal
}

export interface FirstData {
  /** Settles when all of it is stored. Rejects when the signal ends it. */
  stored: Promise<Bootstrapped>
  /** Settles when the caches of this process hold it, too: from then on `admin` can log in and may do everything. */
  seen: Promise<Bootstrapped>
  /**
   * For a gate: whether the first try is over, one way or the other. A cluster that does not let us create what is
   * missing may have all that is needed from somebody else.
   */
  synced: boolean
  whenSynced(signal?: AbortSignal): Promise<void>
}

const RETRY_MS = 5_000
/** Somebody may delete an object before our caches have heard of it. */
const SEEN_WITHIN_MS = 60_000

/** Keeps trying until it has worked. */
export function installFirstData(deps: FirstDataDeps): FirstData {
  const { upstream, informers, host, logger, signal } = deps
  let tell = (): void => undefined
  const tried = new Promise<void>((resolve) => (tell = resolve))
  const over = (): void => {
    progress.synced = true
    tell()
  }

  async function store(): Promise<Bootstrapped> {
    for (;;) {
      try {
        const adminPassword = firstAdminPassword(host)
        return await bootstrapPlatform({ client: upstream, adminPassword, logger, signal })
      } catch (error) {
        signal.throwIfAborted()
        logger.warn({ err: error, retryMs: RETRY_MS }, 'first data cannot be created yet')
        over()
        await pause(systemClock, RETRY_MS, signal)
      }
    }
  }

  async function see(): Promise<Bootstrapped> {
    const installed = await stored
    const limit = AbortSignal.any([signal, AbortSignal.timeout(SEEN_WITHIN_MS)])
    await whenSeen(informers, installed.created, limit).catch((error: unknown) => {
      signal.throwIfAborted()
      logger.warn({ err: error }, 'the caches have not caught up with first data')
    })
    return installed
  }

  const stored = store()
  const seen = see()
  const progress: FirstData = {
    stored,
    seen,
    synced: false,
    whenSynced: (asking) => Promise.race([tried, ...(asking ? [aborted(asking)] : [])]),
  }
  seen.then(over, over)
  return progress
}

/** As soon as it is of use: not before the login that it is for would work. */
export function tellPassword({ seen }: FirstData, logger: Logger): void {
  seen.then(
    ({ adminPassword }) => {
      if (adminPassword === undefined) logger.debug({}, 'first data is complete')
      else process.stdout.write(`The user admin was created with the password ${adminPassword}\n`)
    },
    () => undefined, // Stopped before it was done.
  )
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason as Error)
    if (signal.aborted) fail()
    else signal.addEventListener('abort', fail, { once: true })
  })
}
