/**
 * Streams an answer into a parser without holding up the event loop.
 *
 * Chunks wait in a queue and are parsed in slices for some milliseconds at a time; while the queue is not
 * empty the transport is told to hold back. Whatever the parser throws ends the request.
 */
import { errorOf } from '../answer.js'
import { type Dispatched, type Transport, type TransportRequest } from '../transport.js'

const SLICE_BYTES = 64 * 1024
const TURN_MS = 8
const ERROR_BODY_LIMIT = 256 * 1024

/**
 * @param onChunk gets the body of a 200, piece by piece, each valid only during the call
 * @throws StatusError for any other status; the transport's error; what `onChunk` threw; the signal's reason
 */
export function receive(
  transport: Transport,
  request: TransportRequest,
  onChunk: (chunk: Buffer) => void,
  signal: AbortSignal,
  onHead?: () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error)
      return
    }
    let status = 0
    let ended = false
    let settled = false
    let scheduled = false
    let held = false
    let queue: Buffer[] = []
    let refusal: Buffer[] = []
    let refusalSize = 0
    let dispatched: Dispatched | undefined = undefined

    const settle = (error?: Error): void => {
      if (settled) return
      settled = true
      queue = []
      signal.removeEventListener('abort', onAbort)
      if (error) {
        dispatched?.abort()
        reject(error)
      } else resolve()
    }
    const onAbort = (): void => settle(signal.reason as Error)

    const drain = (): void => {
      scheduled = false
      const until = performance.now() + TURN_MS
      try {
        for (let chunk = queue.shift(); chunk; chunk = queue.shift()) {
          onChunk(chunk.subarray(0, SLICE_BYTES))
          if (settled) return
          if (chunk.length > SLICE_BYTES) queue.unshift(chunk.subarray(SLICE_BYTES))
          if (queue.length > 0 && performance.now() >= until) {
            scheduled = true
            setImmediate(drain)
            return
          }
        }
      } catch (error) {
        settle(error as Error)
        return
      }
      if (ended) settle()
      else if (held) {
        held = false
        dispatched?.resume()
      }
    }

    signal.addEventListener('abort', onAbort, { once: true })
    dispatched = transport.dispatch(request, {
      head(code) {
        status = code
        if (code === 200) onHead?.()
      },
      data(chunk) {
        if (settled) return true
        const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
        if (status !== 200) {
          refusalSize += bytes.length
          if (refusalSize <= ERROR_BODY_LIMIT) refusal.push(bytes)
          return true
        }
        queue.push(bytes)
        if (!scheduled) drain()
        held = queue.length > 0
        return !held
      },
      end() {
        ended = true
        if (status !== 200) {
          settle(errorOf(status, Buffer.concat(refusal)))
          refusal = []
        } else if (!scheduled) drain()
      },
      fail(error) {
        // What arrived before the break is still good; it is parsed first.
        if (queue.length === 0) settle(error)
        else {
          const rest = queue
          queue = []
          try {
            for (const chunk of rest) onChunk(chunk)
            settle(error)
          } catch (fault) {
            settle(fault as Error)
          }
        }
      },
    })
    // A transport may answer before `dispatch` returns.
    if (settled) dispatched.abort()
    else if (held && !scheduled && queue.length === 0) {
      held = false
      dispatched.resume()
    }
  })
}
