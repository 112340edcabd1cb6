/**
 * Ends the deletion of a namespace: takes away everything in it, then its last finalizer.
 *
 * What still holds the namespace is said in its conditions, by kind and by finalizer.
 */
import { type Reconciler, type Request, type Result } from '../../../controller/index.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Clock, wireTime } from '../../registry/clock.js'
import { type Catalogue, type ResourceDefinition } from '../../registry/strategy.js'
import { type Objects, prefixOf } from '../../objects.js'
import { type Writer } from '../writer.js'

export interface NamespaceDeps {
  objects: Objects
  writer: Writer
  catalogue: Catalogue
  clock: Clock
}

const KUBERNETES = 'kubernetes'
/** How long until it is looked again for what finalizers hold. */
const HELD_MS = 500

interface Remaining {
  /** `pods.`, `things.example.com` → how many. */
  kinds: Map<string, number>
  finalizers: Map<string, number>
}

export class NamespaceReconciler implements Reconciler {
  constructor(private readonly deps: NamespaceDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<Result> {
    const namespace = this.deps.objects.get('', 'namespaces', '', name)
    if (namespace?.metadata.deletionTimestamp === undefined) return
    const finalizers = (namespace['spec'] as { finalizers?: string[] } | undefined)?.finalizers ?? []
    if (!finalizers.includes(KUBERNETES)) return

    await this.#deleteContent(name, signal)
    const remaining = this.#remaining(name)
    await this.#tell(name, remaining, signal)
    if (remaining.kinds.size > 0) return { requeueAfter: HELD_MS }
    await this.#update(name, 'finalize', signal, (current) => {
      const spec = current['spec'] as { finalizers?: string[] } | undefined
      current['spec'] = {
        ...spec,
        finalizers: (spec?.finalizers ?? []).filter((each) => each !== KUBERNETES),
      }
      return current
    })
  }

  /** One definition per stored resource: versions share their objects. */
  #namespaced(): ResourceDefinition[] {
    const byPrefix = new Map<string, ResourceDefinition>()
    for (const definition of this.deps.catalogue.all()) {
      const { namespaced, verbs, keyPrefix, version, storage } = definition
      if (!namespaced || !verbs.includes('delete')) continue
      if (!byPrefix.has(keyPrefix) || version === storage.version) byPrefix.set(keyPrefix, definition)
    }
    return [...byPrefix.values()]
  }

  async #deleteContent(namespace: string, signal: AbortSignal): Promise<void> {
    const { objects, writer } = this.deps
    for (const definition of this.#namespaced()) {
      const left = contentOf(objects, definition, namespace).filter(
        ({ metadata }) => metadata.deletionTimestamp === undefined || isGraceful(metadata),
      )
      await Promise.all(
        left.map(({ metadata }) =>
          writer.delete(
            definition,
            namespace,
            metadata.name ?? '',
            {
              gracePeriodSeconds: 0,
              ...(metadata.uid !== undefined && { preconditions: { uid: metadata.uid } }),
            },
            signal,
          ),
        ),
      )
    }
  }

  #remaining(namespace: string): Remaining {
    const remaining: Remaining = { kinds: new Map(), finalizers: new Map() }
    for (const definition of this.#namespaced()) {
      const left = contentOf(this.deps.objects, definition, namespace)
      if (left.length === 0) continue
      remaining.kinds.set(`${definition.resource}.${definition.group}`, left.length)
      for (const finalizer of left.flatMap(({ metadata }) => metadata.finalizers ?? [])) {
        remaining.finalizers.set(finalizer, (remaining.finalizers.get(finalizer) ?? 0) + 1)
      }
    }
    return remaining
  }

  async #tell(name: string, { kinds, finalizers }: Remaining, signal: AbortSignal): Promise<void> {
    const now = wireTime(this.deps.clock.now())
    const condition = (
      type: string,
      held: boolean,
      reason: string,
      clear: string,
      message: string,
    ): Condition => ({
      type,
      status: held ? 'True' : 'False',
      lastTransitionTime: now,
      reason: held ? reason : clear,
      message,
    })
    const list = (counts: Map<string, number>, words: (key: string, count: number) => string): string =>
      [...counts]
        .sort()
        .map(([key, count]) => words(key, count))
        .join(', ')
    const conditions = [
      condition(
        'NamespaceDeletionDiscoveryFailure',
        false,
        '',
        'ResourcesDiscovered',
        'All resources successfully discovered',
      ),
      condition(
        'NamespaceDeletionGroupVersionParsingFailure',
        false,
        '',
        'ParsedGroupVersions',
        'All legacy kube types successfully parsed',
      ),
      condition(
        'NamespaceDeletionContentFailure',
        false,
        '',
        'ContentDeleted',
        'All content successfully deleted, may be waiting on finalization',
      ),
      condition(
        'NamespaceContentRemaining',
        kinds.size > 0,
        'SomeResourcesRemain',
        'ContentRemoved',
        kinds.size > 0
          ? `Some resources are remaining: ${list(kinds, (kind, count) => `${kind} has ${count} resource instances`)}`
          : 'All content successfully removed',
      ),
      condition(
        'NamespaceFinalizersRemaining',
        finalizers.size > 0,
        'SomeFinalizersRemain',
        'ContentHasNoFinalizers',
        finalizers.size > 0
          ? `Some content in the namespace has finalizers remaining: ${list(finalizers, (finalizer, count) => `${finalizer} in ${count} resource instances`)}`
          : 'All content-preserving finalizers finished',
      ),
    ]
    await this.#update(name, 'status', signal, (current) => {
      const status = (current['status'] ?? {}) as { conditions?: Condition[] }
      current['status'] = {
        ...status,
        phase: 'Terminating',
        conditions: merged(status.conditions ?? [], conditions),
      }
      return current
    })
  }

  async #update(
    name: string,
    subresource: string,
    signal: AbortSignal,
    change: (current: KubeObject) => KubeObject,
  ): Promise<void> {
    const definition = this.deps.writer.definition('', 'v1', 'namespaces')
    await this.deps.writer.update(definition, '', name, change, { subresource, signal })
  }
}

interface Condition {
  type: string
  status: string
  lastTransitionTime: string
  reason: string
  message: string
}

/** An unchanged condition keeps its time, so that telling the same twice writes nothing. */
function merged(before: readonly Condition[], now: readonly Condition[]): Condition[] {
  return now.map((condition) => {
    const old = before.find(({ type }) => type === condition.type)
    return old?.status === condition.status
      ? { ...condition, lastTransitionTime: old.lastTransitionTime }
      : condition
  })
}

function contentOf(
  objects: Objects,
  { keyPrefix, storage, resource }: ResourceDefinition,
  namespace: string,
): KubeObject[] {
  return keyPrefix === prefixOf(storage.group, resource)
    ? objects.list(storage.group, resource, namespace)
    : []
}

/** Waiting for a grace period that nobody on a node will end. */
function isGraceful({ deletionGracePeriodSeconds = 0 }: KubeObject['metadata']): boolean {
  return deletionGracePeriodSeconds > 0
}
