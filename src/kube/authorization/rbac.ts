/**
 * Role-based access control over the stored roles and bindings.
 *
 * Roles are compiled and bindings are indexed by subject and namespace as the store changes; a decision
 * looks at the bindings of the asking user and groups only.
 */
import { SharedByRules } from '../../apimachinery/rbac/shared.js'
import { type KubeObject, type UserInfo } from '../../apimachinery/meta/types.js'
import { type ObjectChange, type Objects } from '../objects.js'
import { type AuthorizationAttributes, type Decision } from '../server/interfaces.js'
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
  roleRef: RoleRef
  subjects: readonly Subject[]
}

/** Bindings of one subject, by namespace; "" holds those that count everywhere. */
type Places = Map<string, Map<string, Binding>>

const NO_RULES = new CompiledRules([])

export class Rbac {
  readonly #sets = new SharedByRules((rules) => new CompiledRules(rules))
  readonly #roles = new Map<string, CompiledRules>()
  readonly #bindings = new Map<string, Binding>()
  readonly #bySubject = new Map<string, Places>()
  readonly #stops: (() => void)[]

  constructor(objects: Objects) {
    const role = (change: ObjectChange): void => this.#role(change)
    const binding = (change: ObjectChange): void => this.#binding(change)
    this.#stops = [
      objects.follow(RBAC_GROUP, 'clusterroles', role),
      objects.follow(RBAC_GROUP, 'roles', role),
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
        const bindings = places.get(namespace)
        if (!bindings) continue
        for (const binding of bindings.values()) {
          const rules = this.#roles.get(roleKey(binding))
          if (!rules) {
            ;(missing ??= []).push(
              `${binding.roleRef.kind.toLowerCase()}.${RBAC_GROUP} ${JSON.stringify(binding.roleRef.name)} not found`,
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
        for (const binding of this.#bySubject.get(subject)?.get(place)?.values() ?? []) {
          rules.push(...(this.#roles.get(roleKey(binding)) ?? NO_RULES).rules)
        }
      }
    }
    return rules
  }

  /** The rules a binding would give; undefined when the role is not there. */
  rulesOfRole(roleRef: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    return this.#roles.get(roleKey({ roleRef, namespace }))?.rules
  }

  #role({ key, object }: ObjectChange): void {
    if (!object) this.#roles.delete(key)
    else this.#roles.set(key, this.#sets.of((object.rules ?? []) as PolicyRule[]))
  }

  #binding({ key, object }: ObjectChange): void {
    const old = this.#bindings.get(key)
    if (old) {
      this.#bindings.delete(key)
      for (const subject of old.subjects) this.#forget(subjectKey(subject, old.namespace), old.namespace, key)
    }
    if (!object) return
    const binding = bindingOf(object)
    this.#bindings.set(key, binding)
    for (const subject of binding.subjects) {
      const text = subjectKey(subject, binding.namespace)
      if (text === undefined) continue
      const places: Places = this.#bySubject.get(text) ?? new Map<string, Map<string, Binding>>()
      this.#bySubject.set(text, places)
      const bindings = places.get(binding.namespace) ?? new Map<string, Binding>()
      places.set(binding.namespace, bindings.set(key, binding))
    }
  }

  #forget(subject: string | undefined, namespace: string, key: string): void {
    if (subject === undefined) return
    const places = this.#bySubject.get(subject)
    const bindings = places?.get(namespace)
    if (!places || !bindings) return
    bindings.delete(key)
    if (bindings.size === 0) places.delete(namespace)
    if (places.size === 0) this.#bySubject.delete(subject)
  }
}

function bindingOf(object: KubeObject): Binding {
  const { name = '', namespace = '' } = object.metadata
  return {
    kind: namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding',
    name,
    namespace,
    roleRef: object.roleRef as RoleRef,
    subjects: (object.subjects ?? []) as Subject[],
  }
}

/** The storage key of the role. */
function roleKey({ roleRef, namespace }: Pick<Binding, 'roleRef' | 'namespace'>): string {
  return roleRef.kind === 'ClusterRole'
    ? `/registry/${RBAC_GROUP}/clusterroles/${roleRef.name}`
    : `/registry/${RBAC_GROUP}/roles/${namespace}/${roleRef.name}`
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

function allowedBy({ kind, name, namespace, roleRef }: Binding, subject: string): string {
  const where = namespace === '' ? name : `${name}/${namespace}`
  const who = `${subject.startsWith('u:') ? 'User' : 'Group'} ${JSON.stringify(subject.slice(2))}`
  return `RBAC: allowed by ${kind} ${JSON.stringify(where)} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${who}`
}

function listed(texts: readonly string[]): string {
  const unique = [...new Set(texts)]
  return unique.length === 1 ? (unique[0] ?? '') : `[${unique.join(', ')}]`
}
