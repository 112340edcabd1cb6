/** Lets requests wait for the caches they are answered from, and not for ever. */
import { setMaxListeners } from 'node:events'
import { unavailable } from '../apimachinery/errors/index.js'
import { type Informer } from './cache/interface.js'

/** How long a request may wait for first complete lists. */
const PATIENCE_MS = 10_000

/**
 * Undefined once all caches are complete, which costs nothing to ask; until then, what to wait for. It rejects
 * with StatusError 503 when the time is up.
 */
export type Gate = () => Promise<void> | undefined

/** What a gate waits for: the first complete list of an informer, or whatever else there is to wait for. */
export type Loading = Pick<Informer, 'synced' | 'whenSynced'>

/** @param what named in the refusal: `users` */
export function gate(informers: readonly Loading[], what: string, patienceMs = PATIENCE_MS): Gate {
  let open = false
  return () => {
    if (open) return undefined
    if (informers.every(({ synced }) => synced)) {
      open = true
      return undefined
    }
    return within(patienceMs, informers, what)
  }
}

async function within(
  patienceMs: number,
  informers: readonly Pick<Informer, 'whenSynced'>[],
  what: string,
): Promise<void> {
  const waiting = new AbortController()
  setMaxListeners(informers.length, waiting.signal)
  const timer = setTimeout(() => waiting.abort(unavailable(`${what} are not loaded yet`)), patienceMs)
  try {
    await Promise.all(informers.map((informer) => informer.whenSynced(waiting.signal)))
  } finally {
    clearTimeout(timer)
  }
}
