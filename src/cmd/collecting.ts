/** Feeds the platform's own store with Events and with the log lines of pods. */
import { type InformerSet } from '../client/cache/interface.js'
import { type Transport } from '../client/transport.js'
import { RecordBatches } from '../collecting/batches.js'
import { collectEvents } from '../collecting/events.js'
import { PodLogs } from '../collecting/podlogs.js'
import { type Options } from '../configuration/options.js'
import { type Logger } from '../serving/log.js'
import { type Records } from './records.js'

export interface CollectingParts {
  options: Options
  records: Records
  informers: InformerSet
  upstream: Transport
  logger: Logger
}

/** Nothing is collected for stores that others feed. */
export function startCollecting({ options, records, informers, upstream, logger }: CollectingParts): {
  close(): Promise<void>
} {
  const closings: (() => void | Promise<void>)[] = []
  const { own } = records
  if (own.events) {
    const batches = new RecordBatches({ store: own.events, logger })
    closings.push(collectEvents({ informers, store: own.events, batches }), () => batches.close())
  }
  const { followPods, followedContainers, linesPerSecond } = options.records
  if (own.logs && followPods) {
    const batches = new RecordBatches({ store: own.logs, logger, capacity: 20_000 })
    const podLogs = new PodLogs({
      informers,
      transport: upstream,
      batches,
      followedContainers,
      linesPerSecond,
    })
    closings.push(
      () => podLogs.close(),
      () => batches.close(),
    )
  }
  return {
    async close() {
      for (const close of closings) await close()
    },
  }
}
