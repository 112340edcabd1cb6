/** Tells the notification manager of this process what rules for Events find. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Counter, Gauge, type Registry } from 'prom-client'
import { parse } from 'yaml'
import { configDir } from '../bootstrap/data.js'
import { type InformerSet } from '../client/cache/interface.js'
import { RecordBatches } from '../collecting/batches.js'
import { EventRuleBook, type WrittenRule } from '../eventrules/rulebook.js'
import { watchEvents } from '../eventrules/ruler.js'
import { type NotificationManager } from '../notification/manager.js'
import { type Logger } from '../serving/log.js'

export interface EventRulesParts {
  informers: InformerSet
  manager: Pick<NotificationManager, 'accept'>
  metrics: Registry
  logger: Logger
}

export function startEventRules({ informers, manager, metrics, logger }: EventRulesParts): {
  close(): Promise<void>
} {
  const rules = new EventRuleBook({ informers, defaults: defaultRules(), logger })
  const store = { append: (alerts: readonly object[]) => manager.accept({ alerts }) }
  const batches = new RecordBatches({ store, logger, capacity: 2_000, batchSize: 100, intervalMs: 200 })
  const stop = watchEvents({ informers, rules, tell: (alert) => batches.add(alert), now: Date.now })
  new Counter({
    name: 'ks_server_event_alerts_total',
    help: 'Alerts made of Events, by what became of them: delivered to the notification manager, dropped because too many waited, or failed to be taken.',
    labelNames: ['outcome'],
    registers: [metrics],
    collect() {
      this.reset()
      for (const [outcome, count] of Object.entries(batches.counts)) this.inc({ outcome }, count)
    },
  })
  new Gauge({
    name: 'ks_server_event_rules_broken',
    help: 'Rules for Events whose condition cannot be understood.',
    registers: [metrics],
    collect() {
      this.set(rules.broken)
    },
  })
  return {
    async close() {
      stop()
      rules.close()
      await batches.close()
    },
  }
}

function defaultRules(): WrittenRule[] {
  const text = readFileSync(join(configDir('rules'), 'events.yaml'), 'utf8')
  return (parse(text) as { spec: { rules: WrittenRule[] } }).spec.rules
}
