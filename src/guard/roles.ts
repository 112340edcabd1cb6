/**
 * Roles of all levels: nobody writes a role that says more than they may do themselves, and what ships with the
 * platform is for administrators.
 */
import { forbiddenField } from '../apimachinery/errors/faults.js'
import { conflict, forbidden, invalid } from '../apimachinery/errors/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { NATIVE_RULES_ANNOTATION, REGO_ANNOTATION } from '../authorization/policy.js'
import { type Place } from '../authorization/rights.js'
import { type PolicyRule } from '../authorization/rules.js'
import { type GuardedWrite, type Policy } from '../serving/guard/policy.js'
import { BINDING_LEVELS } from '../tenancy/bindinglevels.js'
import { AGGREGATION, COMPOSED, ROLE_TEMPLATE, WORKSPACE } from '../tenancy/names.js'
import {
  composedRules,
  isAsComposed,
  isShipped,
  isVital,
  sameRules,
  servesWorkspace,
} from '../tenancy/roles.js'
import { aggregatedNames, type RoleObject } from '../tenancy/types.js'
import { demandAdministrator, type GuardDeps } from './deps.js'
import { annotation, changes, label, rulesOf } from './fields.js'

const POLICIES = [REGO_ANNOTATION, NATIVE_RULES_ANNOTATION]
const EVERYTHING: PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

export function rolePolicies(deps: GuardDeps): Policy[] {
  return (['global', 'cluster', 'workspace', 'namespace'] as const).map((level) => rolePolicy(deps, level))
}

const sameMark = (before: KubeObject, after: KubeObject): boolean =>
  annotation(before, COMPOSED) === annotation(after, COMPOSED)

function rolePolicy(deps: GuardDeps, level: Place['level']): Policy {
  const { rights, resources } = deps
  const { roleKind: kind, roles } = BINDING_LEVELS[level]
  const { group, resource } = roles(resources).type
  /** Where everything has to be allowed before what all rely on is changed. */
  const base: Place = { level: level === 'global' ? 'global' : 'cluster' }

  async function judge(write: GuardedWrite): Promise<void> {
    const { caller, name, before, after } = write
    const demandBase = (why: string): void =>
      demandAdministrator(deps, caller, base, { group, resource }, name, why)
    if (before && isShipped(kind, before)) {
      // Administrators of a real cluster let Kubernetes repair its own roles; those may go.
      if (!after && isVital(kind, before))
        throw conflict({ group, resource }, name, 'the platform cannot do without this role')
      demandBase('this role is built in')
    }
    if (!after) return
    refusePolicies(before, after, name)
    if (changes((role) => label(role, ROLE_TEMPLATE), before, after))
      demandBase('this is a template of roles')
    const place = placeOf(write)
    const rules = grantedRules(before, after, place)
    if (rules !== undefined) await rights.demandGrant(caller, kind, { metadata: { name }, rules }, place)
  }

  /** Policies of roles come with the platform. They may be left as they are, or taken away. */
  function refusePolicies(before: KubeObject | undefined, after: KubeObject, name: string): void {
    for (const key of POLICIES) {
      const text = annotation(after, key)
      if (text !== undefined && text !== annotation(before, key))
        throw invalid({ group, kind }, name, [
          forbiddenField(`metadata.annotations[${key}]`, 'policies of roles are not taken from clients'),
        ])
    }
  }

  function placeOf({ namespace, name, before, after }: GuardedWrite): Place {
    if (level === 'namespace') return { level, namespace }
    if (level !== 'workspace') return { level }
    const workspace = label(after, WORKSPACE)
    if (before && workspace !== label(before, WORKSPACE))
      throw forbidden({ group, resource }, name, 'a role stays in its workspace')
    // Without a workspace it is there for all of them.
    return typeof workspace === 'string' && workspace !== '' ? { level, workspace } : { level: 'cluster' }
  }

  /** What somebody may do because of this write; undefined when nothing is new. */
  function grantedRules(
    before: KubeObject | undefined,
    after: KubeObject,
    place: Place,
  ): PolicyRule[] | undefined {
    const rules = rulesOf(after)
    // What such a role will hold depends on roles that are written later.
    if (after['aggregationRule'] && changes((role) => role?.['aggregationRule'], before, after))
      return EVERYTHING
    const composed = composedRules(partsGained(before, after, place))
    if (before && composed.length === 0 && sameRules(rules, (before as RoleObject).rules)) return undefined
    return [...rules, ...composed]
  }

  /** Whatever keeps composed roles up to date will put the rules of these into the role. */
  function partsGained(
    before: KubeObject | undefined,
    after: KubeObject,
    place: Place,
  ): Readonly<RoleObject>[] {
    const parts = aggregatedNames(after, AGGREGATION).map((name) => ({ name, part: partOf(name, place) }))
    if (changes((role) => annotation(role, AGGREGATION), before, after))
      return parts.map(({ name, part }) => {
        if (part) return part
        throw roles(resources).missing(name)
      })
    // Without another part, by rules and a mark that say together that it follows its parts.
    const follows = isAsComposed(after) && !(before && isAsComposed(before) && sameMark(before, after))
    return follows ? parts.flatMap(({ part }) => part ?? []) : []
  }

  function partOf(name: string, place: Place): Readonly<RoleObject> | undefined {
    const found = roles(resources).get(name, place.level === 'namespace' ? place.namespace : '')
    const serves = place.level !== 'workspace' || (found && servesWorkspace(found, place.workspace))
    return serves ? found : undefined
  }

  return { group, resource, judge }
}
