/** Bindings as values: what the platform's own look like, whom one names, and whether two say the same. */
import { createHash } from 'node:crypto'
import { apiVersionOf } from '../apimachinery/meta/types.js'
import { type Place } from '../authorization/rights.js'
import { BINDING_LEVELS, namespaceOf } from './bindinglevels.js'
import { USER_REF, WORKSPACE } from './names.js'
import { type TenancyResources } from './resources.js'
import { type BindingObject, type Subject } from './types.js'

type Binding = Readonly<BindingObject>

/** As Kubernetes allows. */
const LONGEST_NAME = 253
const HASH_DIGITS = 8

/** Groups and service accounts of that name do not count. */
export function isUser(subject: Subject, user: string): boolean {
  return subject.kind === 'User' && subject.name === user
}

export function namesUser(binding: Binding, user: string): boolean {
  return binding.subjects?.some((subject) => isUser(subject, user)) ?? false
}

export function userBinding(
  resources: TenancyResources,
  place: Place,
  user: string,
  role: string,
  name: string,
): BindingObject {
  const { bindings, apiGroup, bindingKind, roleKind } = BINDING_LEVELS[place.level]
  const namespace = namespaceOf(place)
  return {
    apiVersion: apiVersionOf(bindings(resources).type),
    kind: bindingKind,
    metadata: {
      name,
      ...(namespace !== '' && { namespace }),
      labels: { [USER_REF]: user, ...(place.level === 'workspace' && { [WORKSPACE]: place.workspace }) },
    },
    subjects: [{ apiGroup, kind: 'User', name: user }],
    roleRef: { apiGroup, kind: roleKind, name: role },
  }
}

/** Gives that role of that place, whoever to. */
export function givesRole(binding: Binding, place: Place, role: string): boolean {
  const { roleRef, metadata } = binding
  if (roleRef.name !== role || roleRef.kind !== BINDING_LEVELS[place.level].roleKind) return false
  return place.level !== 'workspace' || metadata.labels?.[WORKSPACE] === place.workspace
}

/**
 * What a binding may be called, best first. The second is for when the first is taken: a user `a` with role `b-c`
 * and a user `a-b` with role `c` lead to the same.
 */
export function bindingNames(user: string, role: string): string[] {
  const plain = `${user}-${role}`
  const hash = createHash('sha256').update(`${user}/${role}`).digest('hex').slice(0, HASH_DIGITS)
  const distinct = `${plain.slice(0, LONGEST_NAME - HASH_DIGITS - 1).replace(/[^a-z0-9]+$/, '')}-${hash}`
  return plain.length > LONGEST_NAME ? [distinct] : [plain, distinct]
}
