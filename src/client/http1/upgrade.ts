/** Asks for another protocol on a socket of its own and hands the socket over when the server agrees. */
import { type Socket } from 'node:net'
import { type Headers, type Upgraded } from '../transport.js'
import { ResponseParser } from './parser.js'

const ANSWER_MS = 30_000
const REFUSAL_LIMIT = 1024 * 1024

/**
 * @param socket connected; ours until the answer is 101, closed otherwise
 * @throws Error when the answer cannot be read; the signal's reason
 */
export function upgradeOn(socket: Socket, head: string, signal: AbortSignal): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    let status = 0
    let headers: Headers = {}
    const body: Buffer[] = []
    let size = 0
    const parser = new ResponseParser({
      head(code, received) {
        status = code
        headers = received
      },
      data(chunk) {
        size += chunk.length
        if (size > REFUSAL_LIMIT) throw new Error('the refusal is too long')
        body.push(chunk)
      },
      end: () => refuse(),
    })

    const leave = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', fail)
    }
    const refuse = (): void => {
      leave()
      socket.destroy()
      resolve({ status, headers, body: Buffer.concat(body) })
    }
    const fail = (error: Error): void => {
      leave()
      socket.destroy()
      reject(error)
    }
    const onAbort = (): void => fail(signal.reason as Error)
    const onData = (chunk: Buffer): void => {
      try {
        const rest = parser.push(chunk)
        if (status !== 101) return
        leave()
        // Nobody reads yet; what comes meanwhile waits in the socket, behind what we have read too much.
        socket.pause()
        if (rest && rest.length > 0) socket.unshift(rest)
        // Neither flowing nor paused, as a new socket is: the first listener or pipe starts it.
        Object.assign(socket, { readableFlowing: null })
        resolve({ status, headers, socket })
      } catch (error) {
        fail(error as Error)
      }
    }
    const onEnd = (): void => {
      try {
        parser.close()
        fail(new Error('the connection was closed'))
      } catch (error) {
        fail(error as Error)
      }
    }
    const timer = setTimeout(() => fail(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS)

    socket.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', fail)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) {
      onAbort()
      return
    }
    parser.begin('GET')
    socket.write(head, 'latin1')
  })
}
