/**
 * What a role may become: its rules come from the roles it names and from nowhere else, and whoever writes it must
 * hold them all.
 *
 * The original took rules from any role that a client named, of any workspace, without asking what the client may do
 * itself, and kept policies that clients put into annotations.
 */
import { forbiddenField, invalidValue } from '../../../apimachinery/errors/faults.js'
import { conflict, forbidden, invalid } from '../../../apimachinery/errors/index.js'
import { type ObjectMeta, type UserInfo } from '../../../apimachinery/meta/types.js'
import { NATIVE_RULES_ANNOTATION, REGO_ANNOTATION } from '../../../authorization/policy.js'
import { type Place, type Rights } from '../../../authorization/rights.js'
import { type PolicyRule } from '../../../authorization/rules.js'
import { AGGREGATION, ROLE_TEMPLATE } from '../../../tenancy/names.js'
import { type TenancyResources } from '../../../tenancy/resources.js'
import {
  composedRules,
  isShipped,
  isVital,
  leadsTo,
  sameRules,
  servesWorkspace,
} from '../../../tenancy/roles.js'
import { aggregatedNames, type RoleObject } from '../../../tenancy/types.js'
import { missingRole, type RoleLevel, type RoleLocation } from './rolelevels.js'

type Role = Readonly<RoleObject>

export interface RoleCompositionDeps {
  resources: TenancyResources
  rights: Rights
}

const EVERYTHING: readonly PolicyRule[] = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]
const POLICIES = [REGO_ANNOTATION, NATIVE_RULES_ANNOTATION]

export class RoleComposition {
  constructor(private readonly deps: RoleCompositionDeps) {}

  /**
   * The rules of a role with this metadata.
   *
   * @throws StatusError 404 when a role it names does not exist, or is another workspace's; 422 when it is made of itself
   */
  rules(level: RoleLevel, where: RoleLocation, metadata: ObjectMeta): PolicyRule[] {
    const { resources } = this.deps
    const roles = level.of(resources)
    const names = aggregatedNames({ metadata }, AGGREGATION)
    const parts = names.map((name) => {
      const part = roles.get(name, where.namespace)
      const { workspace } = where
      if (part && (workspace === undefined || servesWorkspace(part, workspace))) return part
      throw missingRole(level, resources, name)
    })
    const { name = '' } = metadata
    if (leadsTo(name, names, (part) => roles.get(part, where.namespace)))
      throw invalid({ group: roles.type.group, kind: level.kind }, name, [
        invalidValue(
          `metadata.annotations[${AGGREGATION}]`,
          names.join(','),
          'the role would be part of itself',
        ),
      ])
    return composedRules(parts)
  }

  /**
   * @param stored what is there now, when the role is not new
   * @throws StatusError 403 when the user may not make the role this, 422 when nobody may
   */
  async demand(
    user: UserInfo,
    level: RoleLevel,
    { place }: RoleLocation,
    role: Role,
    stored: Role | undefined,
  ): Promise<void> {
    const { group } = level.of(this.deps.resources).type
    const { name = '', annotations = {}, labels = {} } = role.metadata
    for (const policy of POLICIES) {
      const text = annotations[policy]
      if (text !== undefined && text !== stored?.metadata.annotations?.[policy])
        throw invalid({ group, kind: level.kind }, name, [
          forbiddenField(`metadata.annotations[${policy}]`, 'policies of roles are not taken from clients'),
        ])
    }
    if (labels[ROLE_TEMPLATE] !== stored?.metadata.labels?.[ROLE_TEMPLATE])
      this.#demandAdministrator(user, level, name, 'template of roles')
    if (stored && isShipped(level.kind, stored)) this.#demandAdministrator(user, level, name, 'built-in role')
    // A change of its texts gives nobody anything.
    if (stored && sameRules(role.rules, stored.rules)) return
    await this.deps.rights.demandGrant(user, level.kind, role, place)
  }

  /** @throws StatusError 403 or 409 when the role must stay */
  demandRemoval(user: UserInfo, level: RoleLevel, stored: Role | undefined): void {
    if (!stored || !isShipped(level.kind, stored)) return
    const { name = '' } = stored.metadata
    this.#demandAdministrator(user, level, name, 'built-in role')
    const { group } = level.of(this.deps.resources).type
    if (isVital(level.kind, stored))
      throw conflict({ group, resource: level.resource }, name, 'the platform cannot do without this role')
  }

  /** What ships with the platform is changed by those who may do everything. */
  #demandAdministrator(
    { name: user, ...rest }: UserInfo,
    level: RoleLevel,
    role: string,
    what: string,
  ): void {
    const place: Place = { level: level.kind === 'GlobalRole' ? 'global' : 'cluster' }
    if (this.deps.rights.missing({ name: user, ...rest }, EVERYTHING, place).length === 0) return
    const { group } = level.of(this.deps.resources).type
    throw forbidden(
      { group, resource: level.resource },
      role,
      `User "${user}" is no administrator, and this is a ${what}`,
    )
  }
}
