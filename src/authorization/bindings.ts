/**
 * Bindings by subject: which roles a user or a group holds, at one level and place.
 *
 * One `Grants` is the platform, the cluster, one workspace or one namespace. Looking up a user costs one map
 * access per name and group however many bindings there are; several bindings of one role count once.
 */
import { type BindingKind, type BindingObject, type Subject } from './objects.js'
import { type RoleSlot } from './roles.js'

export interface BindingRecord {
  readonly kind: BindingKind
  readonly namespace: string
  readonly name: string
}

/** A role held, and the bindings it is held through. */
export interface Grant {
  readonly role: RoleSlot
  readonly bindings: Set<BindingRecord>
}

export class Grants {
  readonly users = new Map<string, Grant[]>()
  readonly groups = new Map<string, Grant[]>()

  get empty(): boolean {
    return this.users.size === 0 && this.groups.size === 0
  }

  add(holder: Holder, role: RoleSlot, binding: BindingRecord): void {
    const held = this[holder.of].get(holder.name)
    if (held === undefined) {
      this[holder.of].set(holder.name, [{ role, bindings: new Set([binding]) }])
      return
    }
    const grant = held.find((candidate) => candidate.role === role)
    if (grant === undefined) held.push({ role, bindings: new Set([binding]) })
    else grant.bindings.add(binding)
  }

  remove(holder: Holder, role: RoleSlot, binding: BindingRecord): void {
    const held = this[holder.of].get(holder.name)
    const position = held?.findIndex((candidate) => candidate.role === role) ?? -1
    const grant = held?.[position]
    if (held === undefined || grant === undefined) return
    grant.bindings.delete(binding)
    if (grant.bindings.size > 0) return
    held.splice(position, 1)
    if (held.length === 0) this[holder.of].delete(holder.name)
  }
}

export interface Holder {
  of: 'users' | 'groups'
  name: string
}

/** Who a subject means; nobody when it is malformed. Service accounts are users with a long name. */
export function holderOf(subject: Subject, bindingNamespace: string): Holder | undefined {
  const { kind, name } = subject
  if (name === undefined || name === '') return undefined
  switch (kind) {
    case 'User':
      return { of: 'users', name }
    case 'Group':
      return { of: 'groups', name }
    case 'ServiceAccount': {
      const namespace = subject.namespace || bindingNamespace
      return namespace === ''
        ? undefined
        : { of: 'users', name: `system:serviceaccount:${namespace}:${name}` }
    }
    default:
      return undefined
  }
}

export function holdersOf(binding: BindingObject): Holder[] {
  const namespace = binding.metadata.namespace ?? ''
  return (binding.subjects ?? []).flatMap((subject) => holderOf(subject, namespace) ?? [])
}
