/** Where requests come from. */
import { type CachedObject, type Informer } from '../client/cache/interface.js'
import { type Request, type Source } from './types.js'

/**
 * A request for every object of an informer, and for each that changes.
 *
 * @param requestsFor whom a change concerns; by default the object itself
 */
export function fromInformer<Fields>(
  informer: Informer<Fields>,
  requestsFor: (object: CachedObject<Fields>) => Iterable<Request> = itself,
): Source {
  return (enqueue) => {
    const tell = (object: CachedObject<Fields>): void => {
      for (const request of requestsFor(object)) enqueue(request)
    }
    for (const object of informer.store.byName()) tell(object)
    return informer.onChange(({ object, previous }) => {
      tell(object)
      // What it named before may have to let go of something.
      if (previous && requestsFor !== itself) tell(previous)
    })
  }
}

function* itself({ namespace, name }: CachedObject): Iterable<Request> {
  yield { namespace, name }
}
