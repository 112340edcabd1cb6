/**
 * Makes a namespace a project: its label and finalizer, its owner, its roles, and an administrator when it is new.
 *
 * Watches every namespace, tenant or not. A namespace whose workspace is on its way out is left alone: whether it goes
 * along or stays is for garbage collection to say, which needs the owner reference.
 */
import { isAlreadyExists } from '../../apimachinery/errors/index.js'
import { type OwnerReference } from '../../apimachinery/meta/types.js'
import {
  type Reconciler,
  type Request,
  type Result,
  type Stored,
  withController,
  withFinalizer,
  withoutFinalizers,
} from '../../controller/index.js'
import {
  CREATOR,
  DEVOPS_PROJECT,
  FEDERATED,
  NAMESPACE,
  NAMESPACE_FINALIZER,
  USER_REF,
  WORKSPACE,
} from '../../tenancy/names.js'
import {
  type BindingObject,
  type NamespaceObject,
  type RoleObject,
  type UserObject,
  type WorkspaceObject,
} from '../../tenancy/types.js'
import { ensureRole } from '../rolebases.js'
import { type Tell } from '../telling.js'

export interface NamespaceReconcilerDeps {
  namespaces: Pick<Stored<NamespaceObject>, 'get' | 'commit'>
  workspaces: Pick<Stored<WorkspaceObject>, 'get'>
  users: Pick<Stored<UserObject>, 'get'>
  roles: Pick<Stored<RoleObject>, 'get' | 'create' | 'commit'>
  bindings: Pick<Stored<BindingObject>, 'create'>
  ownerFor(workspace: Readonly<WorkspaceObject>): OwnerReference
  /** Built-in roles of DevOps projects, or of other namespaces. */
  rolesFor(devops: boolean): readonly RoleObject[]
  /** Asks the API rather than the cache. */
  hasRole(name: string, namespace: string, signal: AbortSignal): Promise<boolean>
  /** Takes away what leads traffic into the namespace from outside of it. */
  removeRouter(namespace: string, signal: AbortSignal): Promise<void>
  tell: Tell
}

type Namespace = Readonly<NamespaceObject>

const ADMIN_ROLE = 'admin'
const RBAC = 'rbac.authorization.k8s.io'
const OWNER_KIND = 'Workspace'

export class NamespaceReconciler implements Reconciler {
  constructor(private readonly deps: NamespaceReconcilerDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<Result> {
    const { namespaces, tell } = this.deps
    const namespace = namespaces.get(name)
    if (namespace === undefined) return
    const { deletionTimestamp, finalizers = [] } = namespace.metadata
    const isHeld = finalizers.includes(NAMESPACE_FINALIZER)
    if (deletionTimestamp !== undefined) {
      if (!isHeld) return
      await this.deps.removeRouter(name, signal)
      await namespaces.commit(namespace, withoutFinalizers(namespace, NAMESPACE_FINALIZER), signal)
      return
    }

    if (!isHeld) await this.#admitCreator(namespace, signal)
    const marked = withFinalizer(namespace, NAMESPACE_FINALIZER)
    // Network policies know a namespace by this label: it must not carry the name of another.
    const isForeign = isHeld && namespace.metadata.labels?.[FEDERATED] === 'true'
    const named = isForeign ? marked : withLabel(marked, name)
    const isWritten = await namespaces.commit(namespace, this.#owned(named), signal)
    const isMended = await this.#ensureRoles(namespace, signal)
    if (isWritten || isMended) tell(namespace)
  }

  /**
   * Binds who made the project to its role `admin`, once. An editor of the project can take the finalizer away and
   * name any creator, but cannot take away the roles: while they are there, the project is not new.
   */
  async #admitCreator({ metadata }: Namespace, signal: AbortSignal): Promise<void> {
    const { name = '', annotations = {}, labels = {} } = metadata
    const creator = annotations[CREATOR]
    // Without a workspace there are no roles that would tell whether it is new, nor one to bind to.
    if (creator === undefined || !isProject(labels)) return
    const user = this.deps.users.get(creator)
    if (user === undefined || user.metadata.deletionTimestamp !== undefined) return
    if (await this.deps.hasRole(ADMIN_ROLE, name, signal)) return
    try {
      await this.deps.bindings.create(
        {
          metadata: { name: `${creator}-admin`, namespace: name, labels: { [USER_REF]: creator } },
          roleRef: { apiGroup: RBAC, kind: 'Role', name: ADMIN_ROLE },
          subjects: [{ apiGroup: RBAC, kind: 'User', name: creator }],
        },
        signal,
      )
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }

  #owned(namespace: NamespaceObject): NamespaceObject {
    const { labels = {}, ownerReferences = [], creationTimestamp } = namespace.metadata
    if (labels[FEDERATED] === 'true') return namespace // Federation would take an owner away again.
    const name = labels[WORKSPACE] ?? ''
    const workspace = name === '' ? undefined : this.deps.workspaces.get(name)
    const ending = workspace?.metadata.deletionTimestamp
    if (workspace && ending === undefined) return withController(namespace, this.deps.ownerFor(workspace))

    const others = ownerReferences.filter(({ kind, name: owner }) => kind !== OWNER_KIND || owner === name)
    const isMoved = others.length < ownerReferences.length
    const isOwned = others.some(({ kind }) => kind === OWNER_KIND)
    const released = isMoved
      ? { ...namespace, metadata: { ...namespace.metadata, ownerReferences: others } }
      : namespace
    // It names a workspace that is gone and came from another, or came too late to go along with the one it names.
    const isLost =
      ending === undefined ? isMoved : !isOwned && Date.parse(creationTimestamp ?? '') > Date.parse(ending)
    return name !== '' && isLost ? withoutLabel(released, WORKSPACE) : released
  }

  async #ensureRoles({ metadata }: Namespace, signal: AbortSignal): Promise<boolean> {
    const { name: namespace = '', labels = {} } = metadata
    if (!isProject(labels)) return false
    const roles = this.deps.rolesFor((labels[DEVOPS_PROJECT] ?? '') !== '')
    const writes = await Promise.all(
      roles.map((base) =>
        ensureRole(this.deps.roles, base, { name: base.metadata.name ?? '', namespace }, signal),
      ),
    )
    return writes.includes(true)
  }
}

function isProject(labels: Readonly<Record<string, string>>): boolean {
  return labels[WORKSPACE] !== undefined || labels[DEVOPS_PROJECT] !== undefined
}

function withLabel(namespace: NamespaceObject, name: string): NamespaceObject {
  if (namespace.metadata.labels?.[NAMESPACE] === name) return namespace
  const labels = { ...namespace.metadata.labels, [NAMESPACE]: name }
  return { ...namespace, metadata: { ...namespace.metadata, labels } }
}

function withoutLabel(namespace: NamespaceObject, label: string): NamespaceObject {
  const { [label]: _gone, ...labels } = namespace.metadata.labels ?? {}
  return { ...namespace, metadata: { ...namespace.metadata, labels } }
}
