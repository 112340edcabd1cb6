/**
 * Keeps the federated twin of an object, from which federation makes the object in every member cluster.
 *
 * The twin belongs to the object and goes with it. Where it is placed, and what is overridden there, is an operator's
 * to change; only the template is ours. What federation itself wrote here is another cluster's business.
 */
import { equal } from '../../apimachinery/json/value.js'
import { type KubeObject, type OwnerReference } from '../../apimachinery/meta/types.js'
import { type Reconciler, type Request, type Stored } from '../../controller/index.js'
import { FEDERATED } from '../../tenancy/names.js'

export interface TwinObject extends KubeObject {
  spec?: { template?: object; placement?: object; overrides?: unknown }
}

export interface TwinReconcilerDeps<T extends KubeObject> {
  objects: Pick<Stored<T>, 'get' | 'commit'>
  twins: Pick<Stored<TwinObject>, 'get' | 'create' | 'commit'>
  /** Whether the cluster knows federated objects of this kind. */
  isServed: () => boolean
  /** What members get, besides the metadata; undefined as long as there is nothing to give. */
  contents: (object: Readonly<T>) => Record<string, unknown> | undefined
  /** Whether members get the annotations too. */
  withAnnotations: boolean
  ownerFor: (object: Readonly<T>) => OwnerReference
}

const EVERYWHERE = { clusterSelector: {} }

export class TwinReconciler<T extends KubeObject> implements Reconciler {
  constructor(private readonly deps: TwinReconcilerDeps<T>) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<void> {
    const { objects, twins, isServed, contents, ownerFor } = this.deps
    const object = objects.get(name)
    if (object === undefined || object.metadata.deletionTimestamp || !isServed()) return
    const { [FEDERATED]: federated, ...labels } = object.metadata.labels ?? {}
    if (federated === 'true') return
    if (federated !== 'false') {
      // The write brings the next pass.
      const marked = { ...labels, [FEDERATED]: 'false' }
      await objects.commit(object, { ...object, metadata: { ...object.metadata, labels: marked } }, signal)
      return
    }
    const given = contents(object)
    if (given === undefined) return
    const template = { metadata: this.#metadata(object, labels), ...given }
    const twin = twins.get(name)
    if (twin === undefined) {
      const metadata = { name, ownerReferences: [ownerFor(object)] }
      await twins.create({ metadata, spec: { template, placement: EVERYWHERE } }, signal)
    } else if (!equal(twin.spec?.template, template)) {
      await twins.commit(twin, { ...twin, spec: { ...twin.spec, template } }, signal)
    }
  }

  #metadata({ metadata }: Readonly<T>, labels: Record<string, string>): object {
    const { annotations = {} } = metadata
    return {
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(this.deps.withAnnotations && Object.keys(annotations).length > 0 && { annotations }),
    }
  }
}
