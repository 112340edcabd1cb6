/** Whether caches have caught up with first data that has just been created. */
import { type RecheckingInformerSet } from '../client/cache/informerset.js'
import { pause, systemClock } from '../client/clock.js'
import { type Collection, COLLECTIONS } from './collections.js'

const LOOK_AGAIN_MS = 20

/**
 * Settles when the informers hold everything that was created. Resources whose definition was among it are absent
 * until now; the informer of definitions makes theirs look again.
 *
 * @param created collection → names
 * @throws the signal's reason
 */
export async function whenSeen(
  informers: RecheckingInformerSet,
  created: Readonly<Record<string, readonly string[]>>,
  signal: AbortSignal,
): Promise<void> {
  informers.informer(COLLECTIONS.customresourcedefinitions)
  const stores = Object.entries(created).map(([collection, names]) => ({
    store: informers.informer(COLLECTIONS[collection as Collection]).store,
    names,
  }))
  informers.recheck()
  while (stores.some(({ store, names }) => names.some((name) => store.get('', name) === undefined))) {
    await pause(systemClock, LOOK_AGAIN_MS, signal)
    signal.throwIfAborted()
  }
}
