/** The one binding that makes the manager of a workspace its administrator. */
import { equal } from '../../apimachinery/json/value.js'
import { type OwnerReference } from '../../apimachinery/meta/types.js'
import { type Stored } from '../../controller/index.js'
import { IAM_GROUP, RBAC_GROUP } from '../../tenancy/resources.js'
import { FEDERATED, USER_REF, WORKSPACE } from '../../tenancy/names.js'
import { type BindingObject, type UserObject, type WorkspaceTemplateObject } from '../../tenancy/types.js'

export interface ManagerDeps {
  users: Pick<Stored<UserObject>, 'get'>
  bindings: Pick<Stored<BindingObject>, 'get' | 'create' | 'commit'>
  ownerFor: (template: Readonly<WorkspaceTemplateObject>) => OwnerReference
}

/**
 * A new manager takes the place of the old one; without a manager, or with one who is no user, the binding stays as
 * it is.
 *
 * @returns whether something had to be written
 */
export async function ensureManager(
  { users, bindings, ownerFor }: ManagerDeps,
  template: Readonly<WorkspaceTemplateObject>,
  signal: AbortSignal,
): Promise<boolean> {
  const { name: workspace = '' } = template.metadata
  const manager = template.spec?.template?.spec?.manager ?? ''
  const user = manager === '' ? undefined : users.get(manager)
  if (user === undefined || user.metadata.deletionTimestamp !== undefined) return false

  const name = `${workspace}-admin`
  const labels: Record<string, string> = { [WORKSPACE]: workspace, [USER_REF]: manager }
  const roleRef = { apiGroup: IAM_GROUP, kind: 'WorkspaceRole', name }
  const subjects = [{ apiGroup: RBAC_GROUP, kind: 'User', name: manager }]
  const found = bindings.get(name)
  if (found === undefined) {
    const metadata = { name, labels, ownerReferences: [ownerFor(template)] }
    await bindings.create({ metadata, roleRef, subjects }, signal)
    return true
  }
  const federated = found.metadata.labels?.[FEDERATED]
  if (federated !== undefined) labels[FEDERATED] = federated // Set by the controller of the binding itself.
  const isSame =
    equal(found.metadata.labels, labels) && equal(found.roleRef, roleRef) && equal(found.subjects, subjects)
  if (isSame) return false
  const after = { ...found, metadata: { ...found.metadata, labels }, roleRef, subjects }
  return bindings.commit(found, after, signal)
}
