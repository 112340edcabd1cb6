/**
 * Groups as seen from a workspace: which are its own, and what being one of a group is worth.
 *
 * Who joins a group gets whatever the group is bound to, wherever that is. So whoever lets somebody join, or makes
 * them leave, must hold it all.
 */
import { isForbidden, StatusError } from '../../../apimachinery/errors/index.js'
import { type UserInfo } from '../../../apimachinery/meta/types.js'
import { type RoleKind } from '../../../authorization/objects.js'
import { heldAt, placesOf } from '../../../tenancy/heldroles.js'
import { WORKSPACE } from '../../../tenancy/names.js'
import { type GroupObject } from '../../../tenancy/types.js'
import { type IamDeps } from './deps.js'

export class GroupAccess {
  constructor(private readonly deps: Pick<IamDeps, 'resources' | 'book' | 'rights'>) {}

  /** @throws StatusError 404, also for a group of another workspace */
  group(workspace: string, name: string): Readonly<GroupObject> {
    const { groups } = this.deps.resources
    const group = groups.get(name)
    if (group?.metadata.labels?.[WORKSPACE] === workspace) return group
    throw groups.missing(name)
  }

  /** @throws StatusError 403 */
  async demandAll(caller: UserInfo, group: string): Promise<void> {
    const { book, rights } = this.deps
    const holder = { name: '', groups: [group] }
    for (const place of placesOf(book, holder)) {
      for (const { role } of heldAt(book, place, holder)) {
        const { kind, name, rules } = role
        try {
          const granted = { metadata: { name }, rules: rules?.rules ?? [] }
          await rights.demandGrant(caller, kind as RoleKind, granted, place)
        } catch (error) {
          if (!isForbidden(error)) throw error
          throw new StatusError(
            {
              code: 403,
              reason: 'Forbidden',
              message:
                `group "${group}" is forbidden: it is bound to ${kind} "${name}", and user "${caller.name}" ` +
                'does not hold those permissions',
            },
            { cause: error },
          )
        }
      }
    }
  }
}
