/** Audit events in a file, one JSON text a line. The file is opened for each batch, so it may be rotated at any time. */
import { appendFile } from 'node:fs/promises'
import { type AuditEvent } from '../serving/audit.js'

export class AuditFile {
  constructor(private readonly path: string) {}

  async deliver(batch: readonly AuditEvent[]): Promise<void> {
    await appendFile(this.path, batch.map((event) => `${JSON.stringify(event)}\n`).join(''), { mode: 0o600 })
  }
}
