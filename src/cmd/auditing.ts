/** Who is told of requests, as the configuration says: the receiver of the webhook, a file, an archive. */
import { Counter, type Registry } from 'prom-client'
import { AuditArchive } from '../auditing/archive.js'
import { devopsLookup } from '../auditing/devops.js'
import { AuditFile } from '../auditing/file.js'
import { AuditPolicy } from '../auditing/policy.js'
import { AuditWebhook, DEFAULT_RECEIVER } from '../auditing/webhook.js'
import { type InformerSet } from '../client/cache/interface.js'
import { type Options } from '../configuration/options.js'
import { type RecordStore } from '../integrations/records/interface.js'
import { AuditQueue, type AuditQueueOptions } from '../serving/auditqueue.js'
import { type AuditOptions } from '../serving/filters/audit.js'
import { type Logger } from '../serving/log.js'

export interface AuditingParts {
  options: Options
  informers: InformerSet
  archive: RecordStore | undefined
  metrics: Registry
  logger: Logger
}

export interface Auditing {
  recipients: AuditOptions[]
  close(): Promise<void>
}

const SENDERS = 100
/** Whoever looks should find what has just happened. */
const SOON_MS = 1_000

export function createAuditing({ options, informers, archive, metrics, logger }: AuditingParts): Auditing {
  const { enable, webhookUrl, eventSendersNum, eventBatchSize, eventBatchInterval } = options.auditing
  const { auditFile } = options.records
  if (!enable && auditFile === '' && !archive) return { recipients: [], close: () => Promise.resolve() }

  const policy = new AuditPolicy(informers)
  const devops = devopsLookup(informers)
  const queues = new Map<string, AuditQueue>()
  const recipients: AuditOptions[] = []
  const tell = (
    sink: string,
    level: AuditOptions['level'],
    queue: Omit<AuditQueueOptions, 'logger'>,
  ): void => {
    const made = new AuditQueue({ ...queue, logger })
    queues.set(sink, made)
    recipients.push({ sink: made, level, kubernetesAudited: () => policy.kubernetesAudited, devops })
  }

  let webhook: AuditWebhook | undefined
  if (enable) {
    const senders = eventSendersNum || SENDERS
    webhook = new AuditWebhook(webhookUrl || DEFAULT_RECEIVER, senders)
    const receiver = webhook
    tell('webhook', () => policy.level(), {
      deliver: (batch, signal) => receiver.deliver(batch, signal),
      senders,
      ...(eventBatchSize > 0 && { batchSize: eventBatchSize }),
      ...(eventBatchInterval > 0 && { intervalMs: eventBatchInterval }),
    })
  }
  if (auditFile !== '') {
    const file = new AuditFile(auditFile)
    tell('file', (info) => policy.archivedLevel(info), {
      deliver: (batch) => file.deliver(batch),
      intervalMs: SOON_MS,
    })
  }
  if (archive) {
    const store = new AuditArchive(archive)
    tell('archive', (info) => policy.archivedLevel(info), {
      deliver: (batch, signal) => store.deliver(batch, signal),
      intervalMs: SOON_MS,
      batchSize: 250,
    })
  }
  countEvents(metrics, queues)
  return {
    recipients,
    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close()))
      webhook?.close()
    },
  }
}

function countEvents(metrics: Registry, queues: ReadonlyMap<string, AuditQueue>): void {
  new Counter({
    name: 'ks_server_audit_events_total',
    help: 'Audit events by where they go and what became of them: delivered, dropped because too many waited, or failed.',
    labelNames: ['sink', 'outcome'],
    registers: [metrics],
    collect() {
      this.reset()
      for (const [sink, { counts }] of queues)
        for (const [outcome, count] of Object.entries(counts)) this.inc({ sink, outcome }, count)
    },
  })
}
