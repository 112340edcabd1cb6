/** Where log lines, Events and audit events are kept and searched: at the hosts of the configuration, or here. */
import { type Options } from '../configuration/options.js'
import { ElasticsearchRecords } from '../integrations/records/elasticsearch/index.js'
import { EmbeddedRecords } from '../integrations/records/embedded/index.js'
import { type RecordStore, type RecordStores } from '../integrations/records/interface.js'
import { type Logger } from '../serving/log.js'
import { AUDITS, EVENTS, type KindSchema, LOGS } from '../integrations/records/kinds.js'

export interface Records {
  stores: Partial<RecordStores>
  /** Where audit events are written. */
  auditArchive: RecordStore | undefined
  /** Those of the platform itself, which have to be fed; the others are fed by the components of the installation. */
  own: Partial<RecordStores>
  /** How often the platform's own store has died. */
  failures(): number
  close(): Promise<void>
}

/** Without the platform's own store. @throws Error for a section that names no address or an unknown version */
export function configuredRecords({ logging, events, auditing, records }: Options): Records {
  const clients: ElasticsearchRecords[] = []
  const clientOf = (schema: KindSchema, section: Options['events']): ElasticsearchRecords | undefined => {
    if (section.host === '') return undefined
    const client = new ElasticsearchRecords(schema, section)
    clients.push(client)
    return client
  }
  const found = {
    logs: clientOf(LOGS, logging),
    events: clientOf(EVENTS, events),
    audits: clientOf(AUDITS, auditing),
  }
  return {
    stores: Object.fromEntries(Object.entries(found).filter(([, store]) => store)),
    auditArchive: records.archiveAudits ? found.audits : undefined,
    own: {},
    failures: () => 0,
    async close() {
      for (const client of clients) client.close()
    },
  }
}

/** Of what may be kept in files, when it is kept in memory. */
const IN_MEMORY = 1 / 8

/** @param directory of the platform's own store, for what has no host; undefined: in memory */
export function recordsOfOneMachine(
  options: Options,
  directory: string | undefined,
  logger: Logger,
): Records {
  const configured = configuredRecords(options)
  const { retention: maxAgeMs, logsMaxBytes, eventsMaxBytes, auditsMaxBytes } = options.records
  const share = directory === undefined ? IN_MEMORY : 1
  const embedded = new EmbeddedRecords({
    directory,
    retention: {
      logs: { maxAgeMs, maxBytes: logsMaxBytes * share },
      events: { maxAgeMs, maxBytes: eventsMaxBytes * share },
      audits: { maxAgeMs, maxBytes: auditsMaxBytes * share },
    },
    logger,
  })
  const { logs, events, audits } = configured.stores
  const own = {
    ...(!logs && { logs: embedded.logs }),
    ...(!events && { events: embedded.events }),
    ...(!audits && { audits: embedded.audits }),
  }
  return {
    stores: { ...configured.stores, ...own },
    own,
    auditArchive: own.audits ?? configured.auditArchive,
    failures: () => embedded.failures,
    async close() {
      await embedded.close()
      await configured.close()
    },
  }
}
