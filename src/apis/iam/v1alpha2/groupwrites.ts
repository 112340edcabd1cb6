/** Writes of groups: a group stays in its workspace, under a parent of the same, and is shown under a name of its own. */
import { invalidValue, required } from '../../../apimachinery/errors/faults.js'
import { conflict, invalid } from '../../../apimachinery/errors/index.js'
import { type ObjectMeta, type UserInfo } from '../../../apimachinery/meta/types.js'
import { GROUP_PARENT, WORKSPACE } from '../../../tenancy/names.js'
import { Turns } from '../../../tenancy/turns.js'
import { type GroupObject } from '../../../tenancy/types.js'
import { type IamDeps } from './deps.js'
import { type GroupAccess } from './groupaccess.js'

export interface GroupWrite {
  workspace: string
  caller: UserInfo
  dryRun: boolean
}

/** Deeper than any organisation; ends the walk when the stored parents form a ring. */
const DEEPEST = 100

export class GroupWrites {
  readonly #turns = new Turns()

  constructor(
    private readonly resources: IamDeps['resources'],
    private readonly access: GroupAccess,
  ) {}

  /** @throws StatusError 403, 404 for the parent, 409 when the shown name is taken, 422 without one */
  async create({ workspace, caller, dryRun }: GroupWrite, metadata: ObjectMeta): Promise<GroupObject> {
    const { groups } = this.resources
    const { name, generateName } = metadata
    if (generateName === undefined)
      throw invalid({ group: groups.type.group, kind: groups.type.resource }, '', [
        required('metadata.generateName', 'generateName is required'),
      ])
    this.#demandParent(workspace, metadata)
    // Bindings may speak of a group of that name already: those of the platform do, and so may leftovers.
    if (name !== undefined) await this.access.demandAll(caller, name)
    return this.#turns.take(workspace, async () => {
      this.#demandUnique(workspace, generateName)
      return groups.create({ metadata: placed(metadata, workspace), spec: {}, status: {} }, { dryRun })
    })
  }

  /** @throws StatusError 404, 409 or 422 */
  update({ workspace, dryRun }: GroupWrite, name: string, metadata: ObjectMeta): Promise<GroupObject> {
    const stored = this.access.group(workspace, name)
    const { generateName = stored.metadata.generateName } = metadata
    this.#demandParent(workspace, metadata)
    return this.#turns.take(workspace, () => {
      if (generateName !== stored.metadata.generateName) this.#demandUnique(workspace, generateName)
      const { finalizers, ownerReferences } = stored.metadata
      return this.resources.groups.update(
        {
          ...stored,
          metadata: {
            ...placed(metadata, workspace),
            ...(generateName !== undefined && { generateName }),
            ...(finalizers && { finalizers }),
            ...(ownerReferences && { ownerReferences }),
          },
        },
        { dryRun },
      )
    })
  }

  /** Merges labels, annotations and the shown name. @throws StatusError 404, 409 or 422 */
  patch({ workspace, dryRun }: GroupWrite, name: string, patch: ObjectMeta): Promise<GroupObject> {
    const stored = this.access.group(workspace, name)
    const { labels, annotations, generateName, resourceVersion } = patch
    this.#demandParent(workspace, { name, ...patch })
    return this.#turns.take(workspace, () => {
      if (generateName !== undefined && generateName !== stored.metadata.generateName)
        this.#demandUnique(workspace, generateName)
      const metadata = {
        ...(labels && { labels: { ...labels, [WORKSPACE]: workspace } }),
        ...(annotations && { annotations }),
        ...(generateName !== undefined && { generateName }),
        ...(resourceVersion !== undefined && { resourceVersion }),
        uid: stored.metadata.uid,
      }
      return this.resources.groups.patch(name, 'merge', { metadata }, { dryRun })
    })
  }

  /** @throws StatusError 403, 404 */
  async delete({ workspace, caller, dryRun }: GroupWrite, name: string): Promise<void> {
    const { uid } = this.access.group(workspace, name).metadata
    await this.access.demandAll(caller, name)
    await this.resources.groups.delete(name, { dryRun, ...(uid !== undefined && { preconditions: { uid } }) })
  }

  #demandUnique(workspace: string, generateName: string | undefined): void {
    const { groups } = this.resources
    for (const { metadata } of groups.labelled(WORKSPACE, workspace)) {
      if (generateName === undefined || metadata.generateName !== generateName) continue
      const { group, resource } = groups.type
      throw conflict(
        { group, resource },
        generateName,
        `a group named ${generateName} already exists in the workspace`,
      )
    }
  }

  #demandParent(workspace: string, { name = '', labels }: ObjectMeta): void {
    const parent = labels?.[GROUP_PARENT]
    if (parent === undefined || parent === '') return
    let above: string | undefined = parent
    for (let depth = 0; above !== undefined && depth < DEEPEST; depth++) {
      if (above === name) {
        const { group, kind } = this.resources.groups.type
        throw invalid({ group, kind }, name, [
          invalidValue(`metadata.labels[${GROUP_PARENT}]`, parent, 'the group would be above itself'),
        ])
      }
      above = this.access.group(workspace, above).metadata.labels?.[GROUP_PARENT]
    }
  }
}

function placed({ ownerReferences: _, ...metadata }: ObjectMeta, workspace: string): ObjectMeta {
  return { ...metadata, labels: { ...metadata.labels, [WORKSPACE]: workspace } }
}
