/**
 * Bindings of all levels: nobody gives a role that says more than they may do themselves, and the platform keeps an
 * administrator.
 */
import { invalidValue, unsupportedValue } from '../apimachinery/errors/faults.js'
import { badRequest, forbidden, invalid, isNotFound } from '../apimachinery/errors/index.js'
import { equal, isObject } from '../apimachinery/json/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type RoleKind } from '../authorization/objects.js'
import { type Place } from '../authorization/rights.js'
import { type GuardedWrite, type Policy } from '../serving/guard/policy.js'
import { BINDING_LEVELS } from '../tenancy/bindinglevels.js'
import { givesRole, isUser } from '../tenancy/bindings.js'
import { PLATFORM_ADMIN, WORKSPACE } from '../tenancy/names.js'
import { servesWorkspace } from '../tenancy/roles.js'
import { type BindingObject, type RoleObject, type Subject } from '../tenancy/types.js'
import { type GuardDeps } from './deps.js'
import { label } from './fields.js'

const GLOBAL: Place = { level: 'global' }

export function bindingPolicies(deps: GuardDeps): Policy[] {
  return (['global', 'cluster', 'workspace', 'namespace'] as const).map((level) => bindingPolicy(deps, level))
}

function bindingPolicy(deps: GuardDeps, level: Place['level']): Policy {
  const { resources, rights, membership } = deps
  const { bindings, bindingKind } = BINDING_LEVELS[level]
  const { group, resource } = bindings(resources).type
  const kinds: readonly RoleKind[] =
    level === 'namespace' ? ['Role', 'ClusterRole'] : [BINDING_LEVELS[level].roleKind]

  async function judge(write: GuardedWrite): Promise<void> {
    const { caller, name, signal } = write
    const before = isBinding(write.before) ? write.before : undefined
    const after = write.after && demandBinding(write.after)
    if (level === 'global' && before) demandAdministratorLeft(before, after)
    if (!after) return
    const { roleRef, subjects = [] } = after
    if (before && !equal(reference(before), reference(after)))
      throw invalid({ group, kind: bindingKind }, name, [
        invalidValue('roleRef', roleRef, 'cannot change roleRef'),
      ])
    const place = placeOf(write)
    const isNew = (subject: Subject): boolean => !before?.subjects?.some((known) => equal(known, subject))
    // Whoever is taken out gains nothing.
    if (before && !subjects?.some(isNew)) return
    if (!kinds.includes(roleRef.kind as RoleKind))
      throw invalid({ group, kind: bindingKind }, name, [
        unsupportedValue('roleRef.kind', roleRef.kind, kinds),
      ])
    const kind = roleRef.kind as RoleKind
    const role = await boundRole(kind, roleRef.name, place, signal)
    await rights.demandGrant(caller, kind, role, place)
  }

  function placeOf({ namespace, name, before, after }: GuardedWrite): Place {
    if (level === 'namespace') return { level, namespace }
    if (level !== 'workspace') return { level }
    const workspace = label(after, WORKSPACE)
    if (before && workspace !== label(before, WORKSPACE))
      throw forbidden({ group, resource }, name, 'a binding stays in its workspace')
    if (typeof workspace === 'string' && workspace !== '') return { level, workspace }
    throw invalid({ group, kind: bindingKind }, name, [
      invalidValue(`metadata.labels[${WORKSPACE}]`, workspace ?? null, 'the binding must name its workspace'),
    ])
  }

  /**
   * A binding to a role that is not there would give whatever somebody else later puts into a role of that name.
   * @throws StatusError 404
   */
  async function boundRole(
    kind: RoleKind,
    name: string,
    place: Place,
    signal: AbortSignal,
  ): Promise<Readonly<RoleObject>> {
    const ofKind = Object.values(BINDING_LEVELS).find(({ roleKind }) => roleKind === kind)
    const roles = (ofKind ?? BINDING_LEVELS[level]).roles(resources)
    const namespace = kind === 'Role' && place.level === 'namespace' ? place.namespace : ''
    let role = roles.get(name, namespace)
    if (role === undefined) {
      try {
        role = await roles.client.get(name, { namespace, signal })
      } catch (error) {
        throw isNotFound(error) ? roles.missing(name) : error
      }
    }
    if (place.level === 'workspace' && !servesWorkspace(role, place.workspace)) throw roles.missing(name)
    return role
  }

  /** @throws StatusError 409 when nobody could administer the platform any more */
  function demandAdministratorLeft(before: BindingObject, after: BindingObject | undefined): void {
    if (!givesRole(before, GLOBAL, PLATFORM_ADMIN)) return
    const leaving = (before.subjects ?? [])
      .filter(({ kind, name }) => kind === 'User' && !after?.subjects?.some((left) => isUser(left, name)))
      .map(({ name }) => name)
      .filter((user) => bindingsToAdministrator(user) < 2)
    membership.demandDispensable(leaving)
  }

  const bindingsToAdministrator = (user: string): number =>
    membership.bindingsOf(GLOBAL, user).filter((binding) => givesRole(binding, GLOBAL, PLATFORM_ADMIN)).length

  return { group, resource, judge }
}

/** Group names are written in several ways and mean nothing. */
const reference = ({ roleRef: { kind, name } }: BindingObject): unknown => [kind, name]

function isBinding(object: KubeObject | undefined): object is BindingObject {
  if (object === undefined) return false
  const { roleRef, subjects = null } = object
  return (
    isObject(roleRef) &&
    typeof roleRef['kind'] === 'string' &&
    typeof roleRef['name'] === 'string' &&
    (subjects === null || (Array.isArray(subjects) && subjects.every(isObject)))
  )
}

/** @throws StatusError 400 for what is no binding */
function demandBinding(object: KubeObject): BindingObject {
  if (isBinding(object)) return object
  throw badRequest('a binding has a roleRef with kind and name, and a list of subjects')
}
