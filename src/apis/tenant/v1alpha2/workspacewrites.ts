/**
 * Writes of workspaces.
 *
 * A WorkspaceTemplate says who manages the workspace, and so who gets its admin role, and on which clusters it is.
 * Whoever changes either must hold what is given away; the difference between the stored and the wanted object
 * decides, read from the API and written with its version, so that nothing changes in between.
 */
import { badRequest, forbidden, notFound } from '../../../apimachinery/errors/index.js'
import { equal } from '../../../apimachinery/json/value.js'
import { type UserInfo } from '../../../apimachinery/meta/types.js'
import { type Rights } from '../../../authorization/rights.js'
import { CREATOR, ORPHAN_FINALIZER, SYSTEM_WORKSPACE, WORKSPACE } from '../../../tenancy/names.js'
import { type PlacementRights } from '../../../tenancy/placement.js'
import { TENANT_GROUP, type TenancyResources, WORKSPACE_TEMPLATES } from '../../../tenancy/resources.js'
import { type WorkspaceTemplateObject } from '../../../tenancy/types.js'
import { type Access } from '../../../tenancy/visibility/index.js'
import { demandWorkspaceName } from '../../../tenancy/workspacename.js'
import { type Deletion } from './deletion.js'
import { retrying } from '../../../client/conflicts.js'
import { creating, demandNew, isAddressable } from './errors.js'
import { demandOperations, isAboutPlacement, kept, namesVersion, patched } from './templatepatch.js'

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

const PLURAL = { group: TENANT_GROUP, resource: WORKSPACE_TEMPLATES.resource }
const EVERYTHING = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]

export class WorkspaceWrites {
  constructor(private readonly deps: WorkspaceWritesDeps) {}

  /** @throws StatusError 400 also for a name that is taken or too long; 403; 404 for an unknown cluster */
  create(write: Write, template: Template): Promise<Template> {
    return creating(this.#create(write, template))
  }

  async #create({ user, ...options }: Write, template: Template): Promise<Template> {
    const { resources, placement } = this.deps
    demandNew(template.metadata)
    const { name = '', annotations } = template.metadata
    demandWorkspaceName(resources.workspaceTemplates.type.kind, name)
    const after = template.spec?.placement
    await placement.demandChange(user, { workspace: name, before: undefined, after, ownsWorkspace: true })
    await this.#demandNoHeirs(user, name)
    const created = annotations?.[CREATOR] === undefined ? template : createdBy(template, user)
    return resources.workspaceTemplates.create(created, options)
  }

  /** @throws StatusError 409 when it has changed, 422 without a version */
  async replace(write: Write, template: Template): Promise<Template> {
    const stored = await this.#stored(template.metadata.name ?? '', write.signal)
    const wanted = { ...template, metadata: { ...template.metadata, ...kept(stored) } }
    await this.#demandChange(write.user, stored, wanted)
    return this.#update(write, wanted)
  }

  /** A merge patch, or an array of JSON patch operations. @throws StatusError */
  patch(write: Write, name: string, patch: unknown): Promise<Template> {
    return this.#patch(write, name, patch, false)
  }

  /**
   * A JSON patch by somebody of whom the authorization filter has asked nothing: placements are for those who have
   * the clusters, everything else for those who may remove workspaces from the platform.
   *
   * @throws StatusError 403 without a word about whether there is such a workspace
   */
  async patchPlacement(write: Write, name: string, patch: unknown): Promise<Template> {
    const operations = demandOperations(patch)
    const question = { verb: 'delete', apiGroup: TENANT_GROUP, resource: 'workspacetemplates' }
    if (await this.deps.rights.can(write.user, question, { level: 'global' }))
      return this.#patch(write, name, operations, false)
    if (!operations.every(isAboutPlacement))
      throw refused(write.user, name, 'may change nothing but the placement of the workspace')
    if (!this.deps.resources.workspaceTemplates.get(name))
      await this.deps.access.demandWorkspace(write.user, name)
    return this.#patch(write, name, operations, true)
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

  /** @param open to strangers, who are shown the workspace only after they have needed a right on a cluster */
  #patch(write: Write, name: string, patch: unknown, open: boolean): Promise<Template> {
    return retrying(namesVersion(patch), async () => {
      const stored = await this.#stored(name, write.signal)
      const wanted = patched(stored, patch)
      const neededClusters = await this.#demandChange(write.user, stored, wanted)
      if (open && !neededClusters) await this.deps.access.demandWorkspace(write.user, name)
      return equal(stored, wanted) ? stored : this.#update(write, wanted)
    })
  }

  #update({ dryRun, signal }: Write, wanted: Template): Promise<Template> {
    return this.deps.resources.workspaceTemplates.update(wanted, { dryRun, signal })
  }

  /** @returns whether a right on clusters was needed, and there */
  async #demandChange(user: UserInfo, stored: Template, wanted: Template): Promise<boolean> {
    const name = stored.metadata.name ?? ''
    if (wanted.metadata.name !== name)
      throw badRequest(
        `the name of the object (${wanted.metadata.name ?? ''}) does not match the name on the URL (${name})`,
      )
    const neededClusters = await this.#demandPlacement(user, name, stored, wanted)
    await this.#demandManager(user, name, stored, wanted)
    return neededClusters
  }

  async #demandPlacement(
    user: UserInfo,
    workspace: string,
    { spec: { placement: before } = {} }: Template,
    { spec: { placement: after } = {} }: Template,
  ): Promise<boolean> {
    const question = { verb: 'update', apiGroup: TENANT_GROUP, resource: 'workspaces', name: workspace }
    const ownsWorkspace = await this.deps.rights.can(user, question, { level: 'workspace', workspace })
    return this.deps.placement.demandChange(user, { workspace, before, after, ownsWorkspace })
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

function refused({ name: user }: UserInfo, workspace: string, why: string): Error {
  return forbidden(PLURAL, workspace, `User "${user}" ${why}`)
}
