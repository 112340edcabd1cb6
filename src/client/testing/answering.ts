/** A transport whose answers a test makes up, request by request. */
import { type Headers, type Transport, type TransportRequest } from '../transport.js'

export interface MadeUpAnswer {
  status?: number
  headers?: Headers
  /** Sent as it is when a string, else as JSON. */
  body?: unknown
}

export interface AnsweringTransport extends Transport {
  readonly requests: TransportRequest[]
}

/** @param answer undefined for no answer at all; an Error for a connection that fails */
export function answering(
  answer: (request: TransportRequest) => MadeUpAnswer | Error | undefined,
): AnsweringTransport {
  const requests: TransportRequest[] = []
  return {
    requests,
    dispatch(request, sink) {
      requests.push(request)
      let aborted = false
      setImmediate(() => {
        const made = aborted ? undefined : answer(request)
        if (made === undefined) return
        if (made instanceof Error) {
          sink.fail(made)
          return
        }
        const { status = 200, headers = {}, body = {} } = made
        sink.head(status, headers)
        sink.data(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)))
        sink.end()
      })
      return { abort: () => (aborted = true), resume: () => undefined }
    },
    upgrade: () => Promise.reject(new Error('not served here')),
    close: () => Promise.resolve(),
  }
}
