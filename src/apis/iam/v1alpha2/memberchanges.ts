/**
 * Changes of members: who may make them. What they do is the membership's business.
 *
 * Nobody gives a role, or takes one away, that says more than they hold themselves at the place; otherwise who may
 * only manage members could make themselves administrator, or be rid of the administrators. Leaving is free.
 */
import { isForbidden, StatusError } from '../../../apimachinery/errors/index.js'
import { type UserInfo } from '../../../apimachinery/meta/types.js'
import { type RoleKind } from '../../../authorization/objects.js'
import { type Place } from '../../../authorization/rights.js'
import { type RoleSlot } from '../../../authorization/roles.js'
import { type ChangeOptions, type RoleChoice } from '../../../tenancy/membership.js'
import { type IamDeps } from './deps.js'
import { type RoleLevel } from './rolelevels.js'

export interface MemberChange extends ChangeOptions {
  level: RoleLevel
  place: Place
  caller: UserInfo
}

export class MemberChanges {
  constructor(private readonly deps: Pick<IamDeps, 'membership' | 'resources' | 'rights'>) {}

  /**
   * Gives each user that one role at the place: all of them, or nobody.
   * @throws StatusError 403, 404 or 409
   */
  async give(change: MemberChange, choices: readonly RoleChoice[]): Promise<void> {
    const { membership, resources, rights } = this.deps
    const { level, place, caller, dryRun = false } = change
    for (const { user, role: name } of choices) {
      const role = await membership.role(place, name)
      if (!(await resources.users.find(user))) throw resources.users.missing(user)
      const held = membership.rolesOf(place, user)
      const lost = held.filter((other) => other.kind !== level.kind || other.name !== name)
      if (lost.length === held.length) await rights.demandGrant(caller, level.kind, role, place)
      await this.#demandTaking(change, user, lost)
    }
    await membership.bind(place, choices, { dryRun })
  }

  /** Nobody is a member any more, whether or not they were. @throws StatusError 403 or 409 */
  async takeOut(change: MemberChange, user: string): Promise<void> {
    const { membership } = this.deps
    const { place, caller, dryRun = false } = change
    if (user !== caller.name) await this.#demandTaking(change, user, membership.rolesOf(place, user))
    await membership.unbind(place, user, { dryRun })
  }

  async #demandTaking({ place, caller }: MemberChange, user: string, lost: readonly RoleSlot[]) {
    for (const { kind, name, rules } of lost) {
      try {
        const role = { metadata: { name }, rules: rules?.rules ?? [] }
        await this.deps.rights.demandGrant(caller, kind as RoleKind, role, place)
      } catch (error) {
        if (!isForbidden(error)) throw error
        throw new StatusError({
          code: 403,
          reason: 'Forbidden',
          message:
            `${kind} "${name}" of user "${user}" is forbidden: user "${caller.name}" is attempting to take ` +
            'away permissions not currently held',
        })
      }
    }
  }
}
