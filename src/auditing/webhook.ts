/** Audit events for the receiver that the platform's auditing component runs: `{"Items": [...]}`, answered 200. */
import { JsonHttp } from '../integrations/jsonhttp.js'
import { type AuditEvent } from '../serving/audit.js'

export const DEFAULT_RECEIVER =
  'https://kube-auditing-webhook-svc.kubesphere-logging-system.svc:443/audit/webhook/event'

const TIMEOUT_MS = 3_000
const ANSWER_BYTES = 64 * 1024

export class AuditWebhook {
  readonly #url: URL
  readonly #http: JsonHttp

  /** @throws TypeError when the address is none */
  constructor(url: string, senders: number) {
    this.#url = new URL(url)
    // The receiver's certificate is its own, as the original has it; there is no key to configure for it.
    this.#http = new JsonHttp({
      verifiesTls: false,
      timeoutMs: TIMEOUT_MS,
      limitBytes: ANSWER_BYTES,
      maxSockets: senders,
    })
  }

  /** @throws Error when the receiver does not take the batch */
  async deliver(batch: readonly AuditEvent[], signal: AbortSignal): Promise<void> {
    const body = JSON.stringify({ Items: batch })
    const { status } = await this.#http.send({ method: 'POST', url: this.#url, body, signal })
    if (status !== 200) throw new Error(`the receiver of audit events answered ${status}`)
  }

  close(): void {
    this.#http.close()
  }
}
