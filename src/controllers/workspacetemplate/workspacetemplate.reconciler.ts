/**
 * Makes a template a workspace: the Workspace (through federation where that is served), its built-in roles, and the
 * binding of its manager. What was made goes with the template.
 */
import { type OwnerReference } from '../../apimachinery/meta/types.js'
import {
  type Reconciler,
  type Request,
  type Result,
  type Stored,
  withFinalizer,
  withoutFinalizers,
} from '../../controller/index.js'
import {
  FEDERATED,
  ORPHAN_FINALIZER,
  SYSTEM_WORKSPACE,
  WORKSPACE,
  WORKSPACE_TEMPLATE_FINALIZER,
} from '../../tenancy/names.js'
import {
  type BindingObject,
  type NamespaceObject,
  type RoleObject,
  type UserObject,
  type WorkspaceTemplateObject,
} from '../../tenancy/types.js'
import { ensureRole } from '../rolebases.js'
import { type Tell } from '../telling.js'
import { ensureManager } from './manager.js'

/** How a workspace comes to be and goes: directly, or through federation. */
export interface WorkspaceMaker {
  /** @returns whether something had to be written */
  ensure(template: Readonly<WorkspaceTemplateObject>, signal: AbortSignal): Promise<boolean>
  remove(name: string, orphan: boolean, signal: AbortSignal): Promise<void>
}

export interface WorkspaceTemplateReconcilerDeps {
  templates: Pick<Stored<WorkspaceTemplateObject>, 'get' | 'commit'>
  namespaces: Pick<Stored<NamespaceObject>, 'labelled' | 'delete'>
  users: Pick<Stored<UserObject>, 'get'>
  roles: Pick<Stored<RoleObject>, 'get' | 'create' | 'commit'>
  bindings: Pick<Stored<BindingObject>, 'get' | 'create' | 'commit'>
  /** The one way that is open now. */
  maker: () => WorkspaceMaker
  isFederated: () => boolean
  rolesFor(): readonly RoleObject[]
  ownerFor: (template: Readonly<WorkspaceTemplateObject>) => OwnerReference
  /** Takes the applications of the workspace away. */
  removeApplications: (workspace: string, signal: AbortSignal) => Promise<void>
  tell: Tell
}

type Template = Readonly<WorkspaceTemplateObject>

export class WorkspaceTemplateReconciler implements Reconciler {
  constructor(private readonly deps: WorkspaceTemplateReconcilerDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<Result> {
    const { templates, maker, isFederated, tell } = this.deps
    const template = templates.get(name)
    if (template === undefined) return
    if (template.metadata.deletionTimestamp !== undefined) return this.#remove(template, signal)

    const marked = withFinalizer(template, WORKSPACE_TEMPLATE_FINALIZER)
    const writes = [
      await templates.commit(template, isFederated() ? authoredHere(marked) : marked, signal),
      await maker().ensure(template, signal),
      await this.#ensureRoles(template, signal),
      await ensureManager(this.deps, template, signal),
    ]
    if (writes.includes(true)) tell(template)
  }

  async #ensureRoles(template: Template, signal: AbortSignal): Promise<boolean> {
    const { name: workspace = '' } = template.metadata
    const owner = this.deps.ownerFor(template)
    const writes = await Promise.all(
      this.deps.rolesFor().map((base) => {
        const name = `${workspace}-${base.metadata.name ?? ''}`
        const wanted = { name, labels: { [WORKSPACE]: workspace }, owner }
        return ensureRole(this.deps.roles, base, wanted, signal)
      }),
    )
    return writes.includes(true)
  }

  /** Whatever fails is tried again: the finalizers hold the template until all of it has gone. */
  async #remove(template: Template, signal: AbortSignal): Promise<void> {
    const { name = '', finalizers = [] } = template.metadata
    if (!finalizers.includes(WORKSPACE_TEMPLATE_FINALIZER)) return
    const { templates, namespaces, maker, removeApplications } = this.deps
    // The system's own namespaces never go, however somebody managed to delete the template.
    const isOrphaning = finalizers.includes(ORPHAN_FINALIZER) || name === SYSTEM_WORKSPACE
    await removeApplications(name, signal)
    if (!isOrphaning) {
      for (const namespace of [...namespaces.labelled(WORKSPACE, name)])
        if (namespace.metadata.deletionTimestamp === undefined) await namespaces.delete(namespace, signal)
    }
    await maker().remove(name, isOrphaning, signal)
    await templates.commit(
      template,
      withoutFinalizers(template, WORKSPACE_TEMPLATE_FINALIZER, ORPHAN_FINALIZER),
      signal,
    )
  }
}

function authoredHere(template: WorkspaceTemplateObject): WorkspaceTemplateObject {
  const labels = { ...template.metadata.labels, [FEDERATED]: 'false' }
  return { ...template, metadata: { ...template.metadata, labels } }
}
