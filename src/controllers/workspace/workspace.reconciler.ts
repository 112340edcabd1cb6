/** Makes a workspace the owner of its namespaces, so that they go when it goes. */
import { type OwnerReference } from '../../apimachinery/meta/types.js'
import {
  type Reconciler,
  type Request,
  type Result,
  type Stored,
  withController,
  withFinalizer,
  withoutFinalizers,
  withoutOwners,
} from '../../controller/index.js'
import { FEDERATED, SYSTEM_WORKSPACE, WORKSPACE, WORKSPACE_FINALIZER } from '../../tenancy/names.js'
import { type NamespaceObject, type WorkspaceObject } from '../../tenancy/types.js'
import { type Tell } from '../telling.js'

export interface WorkspaceReconcilerDeps {
  workspaces: Pick<Stored<WorkspaceObject>, 'get' | 'commit'>
  namespaces: Pick<Stored<NamespaceObject>, 'labelled' | 'commit'>
  ownerFor: (workspace: Readonly<WorkspaceObject>) => OwnerReference
  tell: Tell
}

const OWNER_KIND = 'Workspace'

export class WorkspaceReconciler implements Reconciler {
  constructor(private readonly deps: WorkspaceReconcilerDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<Result> {
    const { workspaces, namespaces, ownerFor, tell } = this.deps
    const workspace = workspaces.get(name)
    if (workspace === undefined) return
    if (workspace.metadata.deletionTimestamp !== undefined) {
      if (name === SYSTEM_WORKSPACE) await this.#release(name, signal)
      // Nothing else to wait for: garbage collection does the rest.
      await workspaces.commit(workspace, withoutFinalizers(workspace, WORKSPACE_FINALIZER), signal)
      return
    }
    let isWritten = await workspaces.commit(workspace, withFinalizer(workspace, WORKSPACE_FINALIZER), signal)
    for (const namespace of [...namespaces.labelled(WORKSPACE, name)]) {
      const { deletionTimestamp, labels = {} } = namespace.metadata
      if (deletionTimestamp !== undefined || labels[FEDERATED] === 'true') continue
      const owned = withController(namespace, ownerFor(workspace))
      if (await namespaces.commit(namespace, owned, signal)) isWritten = true
    }
    if (isWritten) tell(workspace)
  }

  /** The system's own namespaces never go, however somebody managed to delete their workspace. */
  async #release(name: string, signal: AbortSignal): Promise<void> {
    for (const namespace of [...this.deps.namespaces.labelled(WORKSPACE, name)])
      await this.deps.namespaces.commit(namespace, withoutOwners(namespace, OWNER_KIND), signal)
  }
}
