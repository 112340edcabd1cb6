/**
 * Writes of projects, the namespaces of a workspace.
 *
 * The workspace is the one in the path, whatever a body says. The creator is the caller: that annotation is what
 * makes somebody the administrator of a new project. Both, and what controllers keep a namespace by, stay as they
 * are from then on.
 */
import { forbidden } from '../../../apimachinery/errors/index.js'
import { type ObjectMeta, type UserInfo } from '../../../apimachinery/meta/types.js'
import { CREATOR, DEVOPS_PROJECT, NAMESPACE, PLATFORM_NAMESPACES, WORKSPACE } from '../../../tenancy/names.js'
import { type TenancyResources } from '../../../tenancy/resources.js'
import { type NamespaceObject } from '../../../tenancy/types.js'
import { type Deletion } from './deletion.js'
import { retrying } from '../../../client/conflicts.js'
import { creating, demandNew, isAddressable } from './errors.js'
import { type Write } from './workspacewrites.js'

type Namespace = NamespaceObject
type Options = Pick<Write, 'dryRun' | 'signal'>

export class NamespaceWrites {
  constructor(private readonly resources: Pick<TenancyResources, 'namespaces'>) {}

  /** @throws StatusError 400 also for a name that is taken */
  async create(
    user: UserInfo,
    workspace: string,
    metadata: ObjectMeta,
    options: Options,
  ): Promise<Namespace> {
    demandNew(metadata)
    const { ownerReferences: _, labels, annotations, ...named } = metadata
    const created = {
      metadata: {
        ...named,
        labels: placed(labels, workspace, {}),
        annotations: { ...annotations, [CREATOR]: user.name },
      },
    }
    return creating(this.resources.namespaces.create(created, options))
  }

  /** @throws StatusError 404 when it is not one of the workspace, 409 when it has changed */
  replace(workspace: string, name: string, metadata: ObjectMeta, options: Options): Promise<Namespace> {
    return this.#change(workspace, name, metadata, options, () => ({
      labels: metadata.labels ?? {},
      annotations: metadata.annotations ?? {},
    }))
  }

  /** Merges labels and annotations. @throws StatusError */
  patch(workspace: string, name: string, metadata: ObjectMeta, options: Options): Promise<Namespace> {
    return this.#change(workspace, name, metadata, options, (stored) => ({
      labels: { ...stored.labels, ...metadata.labels },
      annotations: { ...stored.annotations, ...metadata.annotations },
    }))
  }

  /** @throws StatusError 404 when it is not one of the workspace, 403 when the platform lives in it */
  async delete(workspace: string, name: string, deletion: Deletion, signal: AbortSignal): Promise<void> {
    if (PLATFORM_NAMESPACES.has(name))
      throw forbidden({ group: '', resource: 'namespaces' }, name, 'this namespace may not be deleted')
    const { uid } = (await this.#stored(workspace, name, signal)).metadata
    const { dryRun, preconditions } = deletion
    await this.resources.namespaces.delete(name, {
      dryRun,
      gracePeriodSeconds: 0,
      preconditions: { ...(uid !== undefined && { uid }), ...preconditions },
      signal,
    })
  }

  #change(
    workspace: string,
    name: string,
    { resourceVersion: version }: ObjectMeta,
    options: Options,
    texts: (stored: ObjectMeta) => Required<Pick<ObjectMeta, 'labels' | 'annotations'>>,
  ): Promise<Namespace> {
    return retrying(version !== undefined, async () => {
      const stored = await this.#stored(workspace, name, options.signal)
      const { labels, annotations } = texts(stored.metadata)
      const creator = stored.metadata.annotations?.[CREATOR]
      const { [CREATOR]: _, ...others } = annotations
      const wanted: Namespace = {
        ...stored,
        metadata: {
          ...stored.metadata,
          ...(version !== undefined && { resourceVersion: version }),
          labels: placed(labels, workspace, stored.metadata.labels ?? {}),
          annotations: { ...others, ...(creator !== undefined && { [CREATOR]: creator }) },
        },
      }
      return this.resources.namespaces.update(wanted, options)
    })
  }

  async #stored(workspace: string, name: string, signal: AbortSignal): Promise<Namespace> {
    const { namespaces } = this.resources
    const cached = isAddressable(name) ? namespaces.get(name) : undefined
    if (cached?.metadata.labels?.[WORKSPACE] !== workspace) throw namespaces.missing(name)
    const stored = await namespaces.client.get(name, { signal })
    if (stored.metadata.labels?.[WORKSPACE] !== workspace) throw namespaces.missing(name)
    return stored
  }
}

const KEPT = [DEVOPS_PROJECT, NAMESPACE]

/** Labels by which controllers and policies find a namespace are not the client's to set. */
function placed(
  labels: Readonly<Record<string, string>> | undefined,
  workspace: string,
  stored: Readonly<Record<string, string>>,
): Record<string, string> {
  const own = Object.entries(labels ?? {}).filter(([key]) => !KEPT.includes(key))
  const kept = Object.entries(stored).filter(([key]) => KEPT.includes(key))
  return { ...Object.fromEntries([...own, ...kept]), [WORKSPACE]: workspace }
}
