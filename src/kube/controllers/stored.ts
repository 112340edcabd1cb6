/** What a controller of the embedded API needs of one resource: to read it from the shared collection and write it. */
import { isConflict } from '../../apimachinery/errors/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type DeleteOptions } from '../registry/deleteoptions.js'
import { equal } from '../../apimachinery/json/value.js'
import { type ResourceDefinition } from '../registry/strategy.js'
import { type Collection, type Collections } from './collections.js'
import { type Writer } from './writer.js'

export class Stored<T extends KubeObject> {
  readonly collection: Collection<T>
  readonly #definition: ResourceDefinition

  /** @param version the one it is stored in */
  constructor(
    collections: Collections,
    private readonly writer: Writer,
    readonly group: string,
    readonly version: string,
    resource: string,
  ) {
    this.collection = collections.of<T>(group, resource)
    this.#definition = writer.definition(group, version, resource)
  }

  get kind(): string {
    return this.#definition.kind
  }

  get(namespace: string, name: string): Readonly<T> | undefined {
    return this.collection.get(namespace, name)
  }

  /** Kind and version are filled in. @throws StatusError */
  async create(object: T, signal?: AbortSignal): Promise<T> {
    const { group, version } = this
    const named = { ...object, kind: this.kind, apiVersion: group === '' ? version : `${group}/${version}` }
    return (await this.writer.create(named, signal)) as T
  }

  /** Changes the object as it is stored now, unless another of that name has taken its place. */
  async update(
    object: Readonly<T>,
    change: (current: T) => void,
    signal?: AbortSignal,
    subresource = '',
  ): Promise<T | undefined> {
    const { namespace = '', name = '', uid } = object.metadata
    return (await this.writer.update(
      this.#definition,
      namespace,
      name,
      (current) => {
        if (current.metadata.uid === uid) change(current as T)
        return current
      },
      { subresource, ...(signal && { signal }) },
    )) as T | undefined
  }

  /** Sets status fields; writes nothing when all are so already. */
  async updateStatus(
    object: Readonly<T>,
    status: Readonly<Record<string, unknown>>,
    signal?: AbortSignal,
  ): Promise<void> {
    const known = (object['status'] ?? {}) as Record<string, unknown>
    if (Object.entries(status).every(([field, value]) => equal(known[field], value))) return
    await this.update(
      object,
      (current) => {
        const next = { ...(current['status'] as Record<string, unknown> | undefined), ...status }
        for (const [field, value] of Object.entries(next)) if (value === undefined) delete next[field]
        ;(current as KubeObject)['status'] = next
      },
      signal,
      'status',
    )
  }

  /** This very object. @returns false when it was gone */
  async delete(object: Readonly<T>, options: DeleteOptions = {}, signal?: AbortSignal): Promise<boolean> {
    const { namespace = '', name = '', uid } = object.metadata
    const guarded = { ...options, ...(uid !== undefined && { preconditions: { uid } }) }
    try {
      return await this.writer.delete(this.#definition, namespace, name, guarded, signal)
    } catch (error) {
      if (isConflict(error)) return false // Another of that name has taken its place.
      throw error
    }
  }
}
