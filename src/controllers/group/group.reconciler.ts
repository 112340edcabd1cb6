/**
 * Puts a group in its place, below its parent or its workspace, and takes what it was given with it when it goes.
 *
 * A parent of another workspace is none: whoever deletes that group must not delete this one. A pass makes one write,
 * which brings the next.
 */
import { type OwnerReference } from '../../apimachinery/meta/types.js'
import {
  type Reconciler,
  type Request,
  type Stored,
  withController,
  withFinalizer,
  withoutFinalizers,
} from '../../controller/index.js'
import { FEDERATED, GROUP_FINALIZER, GROUP_PARENT, WORKSPACE } from '../../tenancy/names.js'
import { type GroupObject, type WorkspaceTemplateObject } from '../../tenancy/types.js'
import { type Tell } from '../telling.js'

type Group = Readonly<GroupObject>

export interface GroupReconcilerDeps {
  groups: Pick<Stored<GroupObject>, 'get' | 'commit'>
  template: (workspace: string) => Readonly<WorkspaceTemplateObject> | undefined
  ownerFor: {
    group: (parent: Group) => OwnerReference
    template: (template: Readonly<WorkspaceTemplateObject>) => OwnerReference
  }
  /** Its bindings of every kind. */
  removeBelongings: (group: string, signal: AbortSignal) => Promise<void>
  tell: Tell
}

const OWNER_KINDS = ['Group', 'WorkspaceTemplate', 'Workspace']

export class GroupReconciler implements Reconciler {
  constructor(private readonly deps: GroupReconcilerDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<void> {
    const { groups, removeBelongings, tell } = this.deps
    const group = groups.get(name)
    if (group === undefined) return
    if (group.metadata.deletionTimestamp) {
      const released = withoutFinalizers(group, GROUP_FINALIZER)
      if (released === group) return
      await removeBelongings(name, signal)
      await groups.commit(group, released, signal)
      return
    }
    const settled = this.#placed(withFinalizer(group, GROUP_FINALIZER))
    if (await groups.commit(group, settled, signal)) tell(group)
  }

  #placed(group: GroupObject): GroupObject {
    const { template, ownerFor } = this.deps
    const {
      [GROUP_PARENT]: parentName,
      [WORKSPACE]: workspace = '',
      [FEDERATED]: federated,
    } = labelsOf(group)
    if (federated === 'true') return group
    if (parentName !== undefined && parentName !== '') {
      const parent = this.#parent(group, parentName)
      if (parent) return withController(group, ownerFor.group(parent), OWNER_KINDS)
      // It goes as its parent has gone.
      if (group.metadata.ownerReferences?.some(({ kind, name }) => kind === 'Group' && name === parentName))
        return group
      const { [GROUP_PARENT]: _, ...labels } = labelsOf(group)
      return { ...group, metadata: { ...group.metadata, labels } }
    }
    const owner = template(workspace)
    return owner ? withController(group, ownerFor.template(owner), OWNER_KINDS) : group
  }

  #parent(group: Group, name: string): Group | undefined {
    const parent = name === group.metadata.name ? undefined : this.deps.groups.get(name)
    return parent && labelsOf(parent)[WORKSPACE] === labelsOf(group)[WORKSPACE] ? parent : undefined
  }
}

const labelsOf = ({ metadata }: Group): Readonly<Record<string, string>> => metadata.labels ?? {}
