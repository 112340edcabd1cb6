/** Asks a notification manager elsewhere to send a test message. */
import { isObject } from '../apimachinery/json/index.js'
import { type Logger } from '../serving/log.js'

/** A test message may take as long as the slowest channel. */
const TIMEOUT_MS = 40_000

export interface Verification {
  Status: number
  Message: string
}

export class RemoteVerifier {
  /** @param endpoint `http://host:19093`; "" when there is no manager */
  constructor(
    private readonly endpoint: string,
    private readonly logger: Logger,
  ) {}

  /** @throws Error when it does not answer, or with something else than a result */
  async verify(body: Uint8Array, client: AbortSignal): Promise<Verification> {
    if (this.endpoint === '') return { Status: 500, Message: 'Cannot find Notification Manager endpoint' }
    const url = `${this.endpoint.replace(/\/$/, '')}/api/v2/verify`
    try {
      // Nothing of the caller's headers: the manager is not to see credentials of the platform.
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(body),
        redirect: 'error',
        signal: AbortSignal.any([client, AbortSignal.timeout(TIMEOUT_MS)]),
      })
      const answer: unknown = await response.json()
      const { Status, Message } = isObject(answer) ? answer : {}
      if (typeof Status === 'number') return { Status, Message: typeof Message === 'string' ? Message : '' }
      throw new Error(`an answer of another form, with status ${response.status}`)
    } catch (error) {
      this.logger.warn({ err: error, url }, 'the notification manager does not answer')
      throw error
    }
  }
}
