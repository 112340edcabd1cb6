/** Where log lines, Events and audit events go to and are searched. */
import { type Options } from '../configuration/options.js'
import { EmbeddedRecords } from '../integrations/records/embedded/index.js'
import { type RecordStores } from '../integrations/records/interface.js'

export interface Records {
  stores: Partial<RecordStores>
  /** Those of the platform itself, which have to be fed; the others are somebody else's. */
  own: Partial<RecordStores>
  close(): Promise<void>
}

/** @param directory of the platform's own store; undefined: in memory */
export function embeddedRecords({ records }: Options, directory: string | undefined): Records {
  const { retention: maxAgeMs, logsMaxBytes, eventsMaxBytes, auditsMaxBytes } = records
  const embedded = new EmbeddedRecords({
    directory,
    retention: {
      logs: { maxAgeMs, maxBytes: logsMaxBytes },
      events: { maxAgeMs, maxBytes: eventsMaxBytes },
      audits: { maxAgeMs, maxBytes: auditsMaxBytes },
    },
  })
  return { stores: embedded, own: embedded, close: () => embedded.close() }
}
