/** Feeds the platform's own store with Events and with the log lines of pods. */
import { Counter, Gauge, type Registry } from 'prom-client'
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
  metrics: Registry
  logger: Logger
}

/** Nothing is collected for stores that others feed. */
export function startCollecting(parts: CollectingParts): { close(): Promise<void> } {
  const { options, records, informers, upstream, metrics, logger } = parts
  const closings: (() => void | Promise<void>)[] = []
  const counted: Counted = new Map()
  const { own } = records
  if (own.events) {
    const batches = new RecordBatches({ store: own.events, logger })
    counted.set('events', () => batches.counts)
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
    counted.set('logs', () => ({ ...batches.counts, skipped: podLogs.skipped }))
    showContainers(metrics, podLogs)
    closings.push(
      () => podLogs.close(),
      () => batches.close(),
    )
  }
  if (counted.size > 0) countRecords(metrics, counted)
  if (Object.keys(own).length > 0) countFailures(metrics, records)
  return {
    async close() {
      for (const close of closings) await close()
    },
  }
}

/** Kind of record → what has become of those seen so far. */
type Counted = Map<string, () => Record<string, number>>

function countRecords(metrics: Registry, counted: Counted): void {
  new Counter({
    name: 'ks_server_collected_records_total',
    help: 'Records collected for the own store, by what became of them: delivered, dropped because too many waited, failed to be stored, or skipped because one container wrote too much.',
    labelNames: ['kind', 'outcome'],
    registers: [metrics],
    collect() {
      this.reset()
      for (const [kind, counts] of counted)
        for (const [outcome, count] of Object.entries(counts())) this.inc({ kind, outcome }, count)
    },
  })
}

function countFailures(metrics: Registry, records: Records): void {
  new Counter({
    name: 'ks_server_record_store_failures_total',
    help: 'How often the own store of records has died and was started again.',
    registers: [metrics],
    collect() {
      this.reset()
      this.inc(records.failures())
    },
  })
}

function showContainers(metrics: Registry, podLogs: PodLogs): void {
  new Gauge({
    name: 'ks_server_followed_containers',
    help: 'Containers whose log is followed, and those that wait until another one ends.',
    labelNames: ['state'],
    registers: [metrics],
    collect() {
      this.set({ state: 'followed' }, podLogs.following)
      this.set({ state: 'waiting' }, podLogs.waiting)
    },
  })
}
