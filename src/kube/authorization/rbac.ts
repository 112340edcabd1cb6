/**
 * Role-based access control over the stored roles and bindings.
 *
 * Bindings are indexed by subject and namespace as the store changes, so that a decision looks at those of the asking
 * user and groups only. Roles are compiled when they are first asked for: most of many thousand are bound to nobody.
 */
import { eachOf, type Few, withOne, withoutOne } from '../../apimachinery/few/index.js'
import { SharedByRules } from '../../apimachinery/rbac/shared.js'
import { type KubeObject, type UserInfo } from '../../apimachinery/meta/types.js'
import { type ObjectChange, type Objects, prefixOf } from '../objects.js'
import { type AuthorizationAttributes, type Decision } from '../server/interfaces.js'
import { type StorageEvent } from '../storage/interface.js'
import { CompiledRules, type PolicyRule } from './rules.js'

export const RBAC_GROUP = 'rbac.authorization.k8s.io'
/** Members may do everything, whatever is stored. */
export const MASTERS = 'system:masters'

export interface RoleRef {
  apiGroup?: string
  kind: string
  name: string
}

export interface Subject {
  kind: string
  apiGroup?: string
  name: string
  namespace?: string
}

interface Binding {
  kind: 'ClusterRoleBinding' | 'RoleBinding'
  name: string
  /** "" for cluster scope. */
  namespace: string
  role: Pick<RoleRef, 'kind' | 'name'>
  /** In the form of `subjectKey`. */
  subjects: readonly string[]
}

/** Bindings of one subject, by namespace; "" holds those that count everywhere. */
type Places = Map<string, Few<Binding>>

const NO_RULES = new CompiledRules([])

export class Rbac {
  readonly #sets = new SharedByRules((rules) => new CompiledRules(rules))
  /** By storage key. */
  readonly #roles = new Map<string, CompiledRules>()
  readonly #objects: Objects
  readonly #bindings = new Map<string, Binding>()
  readonly #bySubject = new Map<string, Places>()
  readonly #stops: (() => void)[]

  constructor(objects: Objects) {
    this.#objects = objects
    const role = ({ key }: StorageEvent): void => void this.#roles.delete(key)
    const binding = (change: ObjectChange): void => this.#binding(change)
    this.#stops = [
      objects.followNews(`${prefixOf(RBAC_GROUP, 'clusterroles')}/`, role),
      objects.followNews(`${prefixOf(RBAC_GROUP, 'roles')}/`, role),
      objects.follow(RBAC_GROUP, 'clusterrolebindings', binding),
      objects.follow(RBAC_GROUP, 'rolebindings', binding),
    ]
  }

  close(): void {
    for (const stop of this.#stops) stop()
  }

  authorize = (attributes: AuthorizationAttributes): Decision => {
    const { user } = attributes
    if (user.groups.includes(MASTERS)) return { allowed: true, reason: '' }
    let missing: string[] | undefined
    for (const subject of subjectsOf(user)) {
      const places = this.#bySubject.get(subject)
      if (!places) continue
      for (const namespace of attributes.namespace === '' ? [''] : ['', attributes.namespace]) {
        for (const binding of eachOf(places.get(namespace))) {
          const rules = this.#rulesOf(binding.role, binding.namespace)
          if (!rules) {
            ;(missing ??= []).push(
              `${binding.role.kind.toLowerCase()}.${RBAC_GROUP} ${JSON.stringify(binding.role.name)} not found`,
            )
          } else if (rules.allowing(attributes)) {
            return { allowed: true, reason: allowedBy(binding, subject) }
          }
        }
      }
    }
    return { allowed: false, reason: missing ? `RBAC: ${listed(missing)}` : '' }
  }

  /** All rules that count for a user in a namespace; "" for those that count everywhere. */
  rulesOf(user: UserInfo, namespace: string): PolicyRule[] {
    const rules: PolicyRule[] = []
    for (const place of namespace === '' ? [''] : ['', namespace]) {
      for (const subject of subjectsOf(user)) {
        for (const binding of eachOf(this.#bySubject.get(subject)?.get(place))) {
          rules.push(...(this.#rulesOf(binding.role, binding.namespace) ?? NO_RULES).rules)
        }
      }
    }
    return rules
  }

  /** The rules a binding would give; undefined when the role is not there. */
  rulesOfRole(roleRef: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    return this.#rulesOf(roleRef, namespace)?.rules
  }

  #rulesOf(role: Binding['role'], namespace: string): CompiledRules | undefined {
    const isClusterRole = role.kind === 'ClusterRole'
    const key = isClusterRole
      ? `${prefixOf(RBAC_GROUP, 'clusterroles')}/${role.name}`
      : `${prefixOf(RBAC_GROUP, 'roles')}/${namespace}/${role.name}`
    const known = this.#roles.get(key)
    if (known) return known
    const object = isClusterRole
      ? this.#objects.get(RBAC_GROUP, 'clusterroles', '', role.name)
      : this.#objects.get(RBAC_GROUP, 'roles', namespace, role.name)
    if (!object) return undefined
    const rules = this.#sets.of((object.rules ?? []) as PolicyRule[])
    this.#roles.set(key, rules)
    return rules
  }

  #binding({ key, object }: ObjectChange): void {
    const old = this.#bindings.get(key)
    if (old) {
      this.#bindings.delete(key)
      for (const subject of old.subjects) this.#forget(subject, old)
    }
    if (!object) return
    const binding = bindingOf(object)
    this.#bindings.set(key, binding)
    for (const subject of binding.subjects) {
      const places: Places = this.#bySubject.get(subject) ?? new Map<string, Few<Binding>>()
      this.#bySubject.set(subject, places)
      places.set(binding.namespace, withOne(places.get(binding.namespace), binding))
    }
  }

  #forget(subject: string, binding: Binding): void {
    const places = this.#bySubject.get(subject)
    if (!places) return
    const left = withoutOne(places.get(binding.namespace), binding)
    if (left !== undefined) places.set(binding.namespace, left)
    else places.delete(binding.namespace)
    if (places.size === 0) this.#bySubject.delete(subject)
  }
}

/** As little as decisions need: there are tens of thousands. */
function bindingOf(object: KubeObject): Binding {
  const { name = '', namespace = '' } = object.metadata
  const { kind, name: roleName } = object.roleRef as RoleRef
  return {
    kind: namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding',
    name,
    namespace,
    role: { kind, name: roleName },
    // Grown one by one, an array has room for 17.
    subjects: ((object.subjects ?? []) as Subject[])
      .flatMap((subject) => subjectKey(subject, namespace) ?? [])
      .slice(),
  }
}

/** @returns undefined for a subject that is nobody */
function subjectKey(subject: Subject, bindingNamespace: string): string | undefined {
  if (subject.kind === 'User') return `u:${subject.name}`
  if (subject.kind === 'Group') return `g:${subject.name}`
  if (subject.kind !== 'ServiceAccount') return undefined
  const namespace = subject.namespace || bindingNamespace
  return namespace === '' ? undefined : `u:system:serviceaccount:${namespace}:${subject.name}`
}

function* subjectsOf(user: UserInfo): Generator<string> {
  yield `u:${user.name}`
  for (const group of user.groups) yield `g:${group}`
}

function allowedBy({ kind, name, namespace, role }: Binding, subject: string): string {
  const where = namespace === '' ? name : `${name}/${namespace}`
  const who = `${subject.startsWith('u:') ? 'User' : 'Group'} ${JSON.stringify(subject.slice(2))}`
  return `RBAC: allowed by ${kind} ${JSON.stringify(where)} of ${role.kind} ${JSON.stringify(role.name)} to ${who}`
}

function listed(texts: readonly string[]): string {
  const unique = [...new Set(texts)]
  return unique.length === 1 ? (unique[0] ?? '') : `[${unique.join(', ')}]`
}
