/** Holds a source back until the caches that its reconciler reads are complete. */
import { type Informer } from '../client/cache/interface.js'
import { type Source } from '../controller/index.js'

export function whenSynced(informers: readonly Pick<Informer, 'whenSynced'>[], source: Source): Source {
  return (enqueue) => {
    const waiting = new AbortController()
    let stop = (): void => waiting.abort(new Error('the source has stopped'))
    Promise.all(informers.map((informer) => informer.whenSynced(waiting.signal))).then(
      () => {
        if (!waiting.signal.aborted) stop = source(enqueue)
      },
      () => undefined, // Stopped before it could start.
    )
    return () => stop()
  }
}
