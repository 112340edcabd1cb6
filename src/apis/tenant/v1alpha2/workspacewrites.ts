/**
 * Writes of workspaces.
 *
 * A WorkspaceTemplate says who manages the workspace, and so who gets its admin role, and on which clusters it is.
 * Whoever changes either must hold what is given away; the difference between the stored and the wanted object
 * decides, read from the API and written with its version, so that nothing changes in between.
 */
import { badRequest, forbidden, notFound, StatusError } from '../../../apimachinery/errors/index.js'
import { equal, isObject } from '../../../apimachinery/json/value.js'
import { apiVersionOf, type ObjectMeta, type UserInfo } from '../../../apimachinery/meta/types.js'
import { applyJsonPatch, applyMergePatch } from '../../../apimachinery/patch/index.js'
import { type Rights } from '../../../authorization/rights.js'
import { CREATOR, ORPHAN_FINALIZER, SYSTEM_WORKSPACE, WORKSPACE } from '../../../tenancy/names.js'
import { type PlacementRights, tidyPlacement } from '../../../tenancy/placement.js'
import { TENANT_GROUP, type TenancyResources, WORKSPACE_TEMPLATES } from '../../../tenancy/resources.js'
import { type Placement, type WorkspaceTemplateObject } from '../../../tenancy/types.js'
import { type Access } from '../../../tenancy/visibility/index.js'
import { type Deletion } from './deletion.js'
import { creating, demandNew, isAddressable, retrying } from './errors.js'

type Template = WorkspaceTemplateObject

export interface WorkspaceWritesDeps {
  resources: TenancyResources
  rights: Rights
  placement: PlacementRights
  access: Access
}

export interface Write {
  user: UserInfo
  dryRun: boolean
  signal: AbortSignal
}

const PLACEMENT_PATH = /^\/spec\/placement(?:\/|$)/
const PLURAL = { group: TENANT_GROUP, resource: WORKSPACE_TEMPLATES.resource }
const EVERYTHING = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]

export class WorkspaceWrites {
  constructor(private readonly deps: WorkspaceWritesDeps) {}

  /** @throws StatusError 400 also for a name that is taken; 403; 404 for an unknown cluster */
  async create({ user, ...options }: Write, template: Template): Promise<Template> {
    const { resources, placement } = this.deps
    demandNew(template.metadata)
    const { name = '', annotations } = template.metadata
    const after = template.spec?.placement
    await placement.demandChange(user, { workspace: name, before: undefined, after, ownsWorkspace: true })
    await this.#demandNoHeirs(user, name)
    const created = annotations?.[CREATOR] === undefined ? template : createdBy(template, user)
    return creating(resources.workspaceTemplates.create(created, options))
  }

  /** @throws StatusError 409 when it has changed, 422 without a version */
  async replace(write: Write, template: Template): Promise<Template> {
    const stored = await this.#stored(template.metadata.name ?? '', write.signal)
    const { finalizers } = stored.metadata
    const wanted = { ...template, metadata: { ...template.metadata, ...(finalizers && { finalizers }) } }
    return this.#write(write, stored, wanted)
  }

  /** A merge patch, or an array of JSON patch operations. @throws StatusError */
  patch(write: Write, name: string, patch: unknown): Promise<Template> {
    if (Array.isArray(patch)) demandPlacementOperations(patch)
    return retrying(namesVersion(patch), async () => {
      const stored = await this.#stored(name, write.signal)
      const wanted = Array.isArray(patch)
        ? applyJsonPatch(openedFor(patch, stored), patch)
        : applyMergePatch(stored, patch)
      return this.#write(write, stored, keptTogether(wanted, stored))
    })
  }

  /**
   * A JSON patch by somebody of whom the authorization filter has asked nothing: placements are for those who have
   * the clusters, everything else for those who may remove workspaces from the platform.
   *
   * @throws StatusError 403 without a word about whether there is such a workspace
   */
  async patchPlacement(write: Write, name: string, patch: unknown): Promise<Template> {
    if (!Array.isArray(patch))
      throw badRequest(`json: cannot unmarshal ${kindOf(patch)} into Go value of type jsonpatch.Patch`)
    const mayChangeAll = await this.deps.rights.can(
      write.user,
      { verb: 'delete', apiGroup: TENANT_GROUP, resource: 'workspacetemplates' },
      { level: 'global' },
    )
    if (mayChangeAll) return this.patch(write, name, patch)

    const isPlacement = (path: unknown): boolean => typeof path === 'string' && PLACEMENT_PATH.test(path)
    if (!patch.every((operation) => isObject(operation) && isPlacement(operation['path'])))
      throw refused(write.user, name, 'may change nothing but the placement of the workspace')
    if (patch.length === 0 || !this.deps.resources.workspaceTemplates.get(name))
      await this.deps.access.demandWorkspace(write.user, name)
    return this.patch(write, name, patch)
  }

  /** @throws StatusError 403 for the workspace of the system, 404, 409 */
  async delete({ user, signal }: Omit<Write, 'dryRun'>, name: string, deletion: Deletion): Promise<void> {
    const { workspaceTemplates } = this.deps.resources
    const { dryRun, orphan, preconditions } = deletion
    if (name === SYSTEM_WORKSPACE) throw refused(user, name, 'cannot delete the workspace of the system')
    const stored = await this.#stored(name, signal)
    const { uid, resourceVersion, finalizers = [] } = stored.metadata
    const asked = { ...(uid !== undefined && { uid }), ...preconditions }
    if (orphan && !dryRun && !finalizers.includes(ORPHAN_FINALIZER)) {
      const marked = {
        finalizers: [...finalizers, ORPHAN_FINALIZER],
        resourceVersion: asked.resourceVersion ?? resourceVersion,
      }
      const { metadata } = await workspaceTemplates.patch(
        name,
        'merge',
        { metadata: { uid: asked.uid, ...marked } },
        { signal },
      )
      if (asked.resourceVersion !== undefined) asked.resourceVersion = metadata.resourceVersion ?? ''
    }
    await workspaceTemplates.delete(name, { dryRun, gracePeriodSeconds: 0, preconditions: asked, signal })
  }

  async #write({ user, ...options }: Write, stored: Template, wanted: Template): Promise<Template> {
    const name = stored.metadata.name ?? ''
    if (wanted.metadata.name !== name)
      throw badRequest(
        `the name of the object (${wanted.metadata.name ?? ''}) does not match the name on the URL (${name})`,
      )
    if (equal(stored, wanted)) return stored
    await this.#demandPlacement(user, name, stored.spec?.placement, wanted.spec?.placement)
    await this.#demandManager(user, name, stored, wanted)
    return this.deps.resources.workspaceTemplates.update(wanted, options)
  }

  async #demandPlacement(
    user: UserInfo,
    workspace: string,
    before?: Placement,
    after?: Placement,
  ): Promise<void> {
    if (equal(before, after)) return
    const question = { verb: 'update', apiGroup: TENANT_GROUP, resource: 'workspaces', name: workspace }
    const ownsWorkspace = await this.deps.rights.can(user, question, { level: 'workspace', workspace })
    await this.deps.placement.demandChange(user, { workspace, before, after, ownsWorkspace })
  }

  /** The manager is bound to the admin role of the workspace, here and where overrides name another. */
  async #demandManager(user: UserInfo, workspace: string, stored: Template, wanted: Template): Promise<void> {
    const before = stored.spec?.template?.spec?.manager ?? ''
    const after = wanted.spec?.template?.spec?.manager ?? ''
    const sameManager = after === before || after === ''
    if (sameManager && equal(stored.spec?.overrides ?? [], wanted.spec?.overrides ?? [])) return
    const name = `${workspace}-admin`
    const role = this.deps.resources.workspaceRoles.get(name) ?? { metadata: { name }, rules: EVERYTHING }
    await this.deps.rights.demandGrant(user, 'WorkspaceRole', role, { level: 'workspace', workspace })
  }

  /** Projects that a deleted workspace has left behind would be those of the new one. */
  async #demandNoHeirs(user: UserInfo, workspace: string): Promise<void> {
    const [left] = this.deps.resources.namespaces.labelled(WORKSPACE, workspace)
    if (workspace === '' || left === undefined) return
    const question = { verb: 'update', apiGroup: '', resource: 'namespaces' }
    if (await this.deps.rights.can(user, question, { level: 'workspace', workspace })) return
    throw refused(user, workspace, 'may not take over the projects that a workspace of this name has left')
  }

  /** @throws StatusError 404 */
  async #stored(name: string, signal: AbortSignal): Promise<Template> {
    if (!isAddressable(name)) throw notFound(PLURAL, name)
    return this.deps.resources.workspaceTemplates.client.get(name, { signal })
  }
}

function createdBy(template: Template, { name }: UserInfo): Template {
  const { metadata } = template
  return { ...template, metadata: { ...metadata, annotations: { ...metadata.annotations, [CREATOR]: name } } }
}

/** Placements are patched by whole additions and removals. */
function demandPlacementOperations(operations: readonly unknown[]): void {
  for (const operation of operations) {
    if (!isObject(operation) || typeof operation['path'] !== 'string') continue
    const isOther = operation['op'] !== 'add' && operation['op'] !== 'remove'
    if (isOther && PLACEMENT_PATH.test(operation['path'])) throw badRequest('not support operation type')
  }
}

/** An empty list of clusters is not stored; the first cluster can be added to it nevertheless. */
function openedFor(operations: readonly unknown[], stored: Template): Template {
  const appends = operations.some(
    (operation) => isObject(operation) && operation['path'] === '/spec/placement/clusters/-',
  )
  const { placement } = stored.spec ?? {}
  if (!appends || !placement || placement.clusters) return stored
  return { ...stored, spec: { ...stored.spec, placement: { ...placement, clusters: [] } } }
}

/** Patches do not reach what says which object this is, nor what controllers keep it by. */
function keptTogether(wanted: Template, stored: Template): Template {
  if (!isObject(wanted.metadata)) throw unpatchable()
  const { finalizers, uid = '', resourceVersion = '' } = stored.metadata
  const { finalizers: _, ...metadata }: ObjectMeta = wanted.metadata
  const placement = wanted.spec?.placement
  return {
    ...wanted,
    kind: WORKSPACE_TEMPLATES.kind,
    apiVersion: apiVersionOf(WORKSPACE_TEMPLATES),
    metadata: { resourceVersion, ...metadata, uid, ...(finalizers && { finalizers }) },
    ...(isObject(placement) && { spec: { ...wanted.spec, placement: tidyPlacement(placement) } }),
  }
}

function namesVersion(patch: unknown): boolean {
  if (!isObject(patch) || !isObject(patch['metadata'])) return false
  return typeof patch['metadata']['resourceVersion'] === 'string'
}

function unpatchable(): Error {
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
  })
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value
}

function refused({ name: user }: UserInfo, workspace: string, why: string): Error {
  return forbidden(PLURAL, workspace, `User "${user}" ${why}`)
}
