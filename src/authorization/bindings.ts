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
  readonly bindings: BindingRecord[]
}

type Held = Map<string, Grant[]>

export class Grants {
  // There is one of these per place, and most places have bindings of users only, or of groups only.
  #users: Held | undefined
  #groups: Held | undefined

  get users(): ReadonlyMap<string, readonly Grant[]> {
    return this.#users ?? NOBODY
  }

  get groups(): ReadonlyMap<string, readonly Grant[]> {
    return this.#groups ?? NOBODY
  }

  get empty(): boolean {
    return this.users.size === 0 && this.groups.size === 0
  }

  add({ of, name }: Holder, role: RoleSlot, binding: BindingRecord): void {
    const holders: Held =
      of === 'users'
        ? (this.#users ??= new Map<string, Grant[]>())
        : (this.#groups ??= new Map<string, Grant[]>())
    const held = holders.get(name)
    if (held === undefined) {
      holders.set(name, [{ role, bindings: [binding] }])
      return
    }
    const grant = held.find((candidate) => candidate.role === role)
    if (grant === undefined) held.push({ role, bindings: [binding] })
    // A binding may name its subject twice.
    else if (grant.bindings.at(-1) !== binding) grant.bindings.push(binding)
  }

  remove({ of, name }: Holder, role: RoleSlot, binding: BindingRecord): void {
    const holders = of === 'users' ? this.#users : this.#groups
    const held = holders?.get(name)
    const position = held?.findIndex((candidate) => candidate.role === role) ?? -1
    const grant = held?.[position]
    if (held === undefined || grant === undefined) return
    const index = grant.bindings.indexOf(binding)
    if (index >= 0) grant.bindings.splice(index, 1)
    if (grant.bindings.length > 0) return
    held.splice(position, 1)
    if (held.length === 0) holders?.delete(name)
  }
}

const NOBODY: Held = new Map()

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
  const holders = (binding.subjects ?? []).flatMap((subject) => holderOf(subject, namespace) ?? [])
  // Grown one by one, an array has room for 17.
  return holders.slice()
}
