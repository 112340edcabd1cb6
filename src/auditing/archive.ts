/** Audit events in a store where they can be searched. */
import { type JsonDocument, type RecordStore } from '../integrations/records/interface.js'
import { type AuditEvent } from '../serving/audit.js'

export class AuditArchive {
  constructor(private readonly store: Pick<RecordStore, 'append'>) {}

  deliver(batch: readonly AuditEvent[], signal: AbortSignal): Promise<void> {
    return this.store.append(batch.map(archived), signal)
  }
}

/** Archives write the keys of `User` like all the others, and clients search for them so. */
export function archived(event: AuditEvent): JsonDocument {
  const { username, uid, groups = [], extra } = event.User
  return {
    ...event,
    User: {
      Username: username,
      ...(uid !== undefined && { UID: uid }),
      Groups: groups,
      ...(extra && { Extra: extra }),
    },
  }
}
