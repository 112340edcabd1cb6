/** What a controller tells people about the objects it works on: that a pass changed something, or failed. */
import { isAlreadyExists, isConflict } from '../apimachinery/errors/index.js'
import { apiVersionOf, type KubeObject } from '../apimachinery/meta/types.js'
import { type CachedResource } from '../client/cachedresource.js'
import { type EventWriter, type Reconciler } from '../controller/index.js'

/** Tells that the object is as it should be, after a pass that had to change something. */
export type Tell = (about: Readonly<KubeObject>) => void

/** @param message in the words of the original's controller */
export function tellerOf(
  events: EventWriter,
  controller: string,
  { type }: Pick<CachedResource<KubeObject>, 'type'>,
  message = 'Synced successfully',
): Tell {
  const recorder = events.recorder(`${controller}-controller`)
  return ({ metadata }) =>
    recorder.event({ apiVersion: apiVersionOf(type), kind: type.kind, metadata }, 'Normal', 'Synced', message)
}

/** The reconciler, with a warning on the object for each pass that failed. A race with another writer is no failure. */
export function tellingFailures<T extends KubeObject>(
  events: EventWriter,
  controller: string,
  resource: Pick<CachedResource<T>, 'type' | 'get'>,
  reconciler: Reconciler,
): Reconciler {
  const recorder = events.recorder(`${controller}-controller`)
  return {
    async reconcile(request, signal) {
      try {
        return await reconciler.reconcile(request, signal)
      } catch (error) {
        const about = resource.get(request.name, request.namespace)
        if (about && !signal.aborted && !isRace(error))
          recorder.event(
            { apiVersion: apiVersionOf(resource.type), kind: resource.type.kind, metadata: about.metadata },
            'Warning',
            'FailedSync',
            `Failed to sync: ${error instanceof Error ? error.message : String(error)}`,
          )
        throw error
      }
    },
  }
}

const isRace = (error: unknown): boolean => isConflict(error) || isAlreadyExists(error)
