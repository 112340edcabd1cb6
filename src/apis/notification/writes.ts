/** Writes: whatever the body says, an object stays with the owner that the path names. */
import { badRequest, notFound } from '../../apimachinery/errors/index.js'
import { isObject, type JsonObject } from '../../apimachinery/json/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { applyMergePatch } from '../../apimachinery/patch/index.js'
import { toV2beta2 } from '../../notification/objects/conversion.js'
import { demandValid } from '../../notification/objects/validation.js'
import { type Resources } from './deps.js'
import { type NotificationKind, type Version } from './kinds.js'
import { demandOwner, demandSameName, ownerLabels, type Owner } from './ownership.js'

export interface Write {
  kind: NotificationKind
  owner: Owner
  dryRun: boolean
  signal: AbortSignal
}

export class Writes {
  constructor(
    private readonly resources: Resources,
    private readonly version: Version,
  ) {}

  /** @throws StatusError 409 for a name that is taken, 422 */
  async create({ kind, owner, dryRun, signal }: Write, object: KubeObject): Promise<KubeObject> {
    const { resourceVersion, ...metadata } = object.metadata
    if (resourceVersion !== undefined)
      throw badRequest('resourceVersion should not be set on objects to be created')
    const created = this.#prepared(kind, owner, { ...object, metadata }, undefined)
    const options = { dryRun, signal, ...(kind.namespace !== '' && { namespace: kind.namespace }) }
    return this.resources(kind.type).create(created, options)
  }

  /** @throws StatusError 403 for an object of somebody else, 404, 409 when it has changed, 422 */
  async update(
    { kind, owner, dryRun, signal }: Write,
    name: string,
    object: KubeObject,
  ): Promise<KubeObject> {
    const stored = await this.#owned(kind, owner, name)
    const resource = this.resources(kind.type)
    const inBody = object.metadata.name
    if (inBody !== name) {
      // The older version looks for the object that the body names, and says when there is none.
      if (this.version === 'v2beta1' && inBody !== undefined && !resource.get(inBody, kind.namespace))
        throw notFound({ group: kind.type.group, resource: kind.type.resource }, inBody)
      demandSameName(inBody, name)
    }
    const { uid = '', ownerReferences, finalizers } = stored.metadata
    const metadata = {
      ...object.metadata,
      uid: object.metadata.uid ?? uid,
      ...(ownerReferences && { ownerReferences }),
      ...(finalizers && { finalizers }),
    }
    const options = { dryRun, signal, ...(kind.namespace !== '' && { namespace: kind.namespace }) }
    return resource.update(this.#prepared(kind, owner, { ...object, metadata }, stored), options)
  }

  /** A merge patch. @throws StatusError 400, 403, 404, 409 when it names another version than the present, 422 */
  async patch(
    { kind, owner, dryRun, signal }: Write,
    name: string,
    { metadata, rest }: { metadata: JsonObject; rest: JsonObject },
  ): Promise<KubeObject> {
    const stored = await this.#owned(kind, owner, name)
    const { labels, name: inPatch } = metadata
    if (inPatch !== undefined && inPatch !== null && inPatch !== name) demandSameName(undefined, name)
    if (labels !== undefined && labels !== null && !isObject(labels))
      throw badRequest('metadata.labels must be an object')
    const cleared = labels === null ? Object.keys(stored.metadata.labels ?? {}).map((key) => [key, null]) : []
    const patch = {
      metadata: {
        ...metadata,
        uid: metadata['uid'] ?? stored.metadata.uid,
        labels: { ...(Object.fromEntries(cleared) as JsonObject), ...labels, ...ownerLabels(kind, owner) },
      },
      ...rest,
    }
    if (kind.namespace === '') {
      const after = applyMergePatch(structuredClone(stored) as KubeObject, patch)
      demandValid(kind.type.kind, name, after['spec'])
    }
    const options = { dryRun, signal, ...(kind.namespace !== '' && { namespace: kind.namespace }) }
    return this.resources(kind.type).patch(name, 'merge', patch, options)
  }

  /** @throws StatusError 403, 404 */
  async delete({ kind, owner, dryRun, signal }: Write, name: string): Promise<void> {
    const { uid } = (await this.#owned(kind, owner, name)).metadata
    await this.resources(kind.type).delete(name, {
      dryRun,
      signal,
      ...(kind.namespace !== '' && { namespace: kind.namespace }),
      ...(uid !== undefined && { preconditions: { uid } }),
    })
  }

  async #owned(kind: NotificationKind, owner: Owner, name: string): Promise<Readonly<KubeObject>> {
    const resource = this.resources(kind.type)
    await resource.pending()
    const stored = resource.require(name, kind.namespace)
    demandOwner(kind, stored.metadata, owner)
    return stored
  }

  #prepared(
    kind: NotificationKind,
    owner: Owner,
    object: KubeObject,
    stored: Readonly<KubeObject> | undefined,
  ): KubeObject {
    const labels = { ...object.metadata.labels, ...ownerLabels(kind, owner) }
    const metadata = {
      ...object.metadata,
      labels,
      ...(kind.namespace !== '' && { namespace: kind.namespace }),
    }
    if (kind.namespace !== '') return { ...object, metadata }
    let spec = object['spec'] as JsonObject
    if (kind.convertible && this.version === 'v2beta1') {
      const before = stored?.['spec']
      spec = toV2beta2(kind.convertible, spec, isObject(before) ? before : {})
    }
    demandValid(kind.type.kind, metadata.name ?? '', spec)
    return { ...object, metadata, spec }
  }
}
