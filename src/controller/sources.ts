/** Where requests come from. */
import { type CachedObject, type Change, type Informer } from '../client/cache/interface.js'
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

/**
 * Requests for what a change of one resource means to objects of another. None for what is there at the start: those
 * objects come through their own source.
 */
export function fromChanges<Fields>(
  informer: Informer<Fields>,
  requestsFor: (change: Change<Fields>) => Iterable<Request>,
): Source {
  return (enqueue) =>
    informer.onChange((change) => {
      for (const request of requestsFor(change)) enqueue(request)
    })
}

function* itself({ namespace, name }: CachedObject): Iterable<Request> {
  yield { namespace, name }
}
