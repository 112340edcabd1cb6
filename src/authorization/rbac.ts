/**
 * Role-based decisions at platform, workspace, namespace and cluster level.
 *
 * Bindings are visited in a fixed order and the first that allows ends the visit; nothing denies. A request of
 * scope Global looks at platform roles alone. The workspace of a namespace or DevOps project is what its own
 * label says, never what the URL says: an unlabelled namespace belongs to no workspace.
 */
import { type UserInfo } from '../apimachinery/meta/types.js'
import { type Gate } from '../client/gate.js'
import { type BindingRecord, type Grant, type Grants } from './bindings.js'
import { type Attributes, type Authorizer, type Decision, type Explanation } from './interface.js'
import { type OpaClient } from './opa.js'
import { type RoleBook } from './rolebook.js'
import { isRegistering, isRegistration } from './registration.js'
import { grants, type RoleSlot } from './roles.js'

export interface Places {
  /** The workspace a namespace is labelled with; "" when it has none or does not exist. */
  workspaceOf(namespace: string): string
  devopsProject(name: string): { workspace: string; adminNamespace: string } | undefined
}

export interface RbacDeps {
  book: RoleBook
  places: Places
  /** Asked about policy modules that are not built in. */
  opa?: OpaClient | undefined
  pending?: Gate
}

type Level = NonNullable<Explanation['level']>

const ALLOWED: Decision = Object.freeze({ allowed: true, reason: '' })
const NO_OPINION: Decision = Object.freeze({ allowed: false, reason: '' })

interface Place {
  level: Level
  grants: Grants | undefined
}

export class RbacAuthorizer implements Authorizer {
  constructor(private readonly deps: RbacDeps) {}

  authorize(attributes: Attributes): Decision | Promise<Decision> {
    const pending = this.deps.pending?.()
    if (pending !== undefined) return pending.then(() => this.#decide(attributes))
    return this.#decide(attributes)
  }

  async explain(attributes: Attributes): Promise<Decision & { explanation: Explanation }> {
    await this.deps.pending?.()
    if (isRegistering(attributes.user) && !isRegistration(attributes))
      return { ...NO_OPINION, explanation: { text: 'who registers may do nothing else', considered: [] } }
    const considered: NonNullable<Explanation['considered']> = []
    for (const { level, grants: place } of this.#places(attributes)) {
      for (const { grant, subject } of heldBy(attributes.user, place)) {
        const rule = await this.#ruleOf(grant.role, attributes)
        for (const binding of grant.bindings) {
          if (rule !== undefined)
            return { ...ALLOWED, explanation: grounds(level, binding, grant.role, subject, rule) }
          considered.push({ binding: nameOf(binding), role: nameOf(grant.role) })
        }
      }
    }
    const decision = this.#refusal(attributes)
    const text =
      considered.length === 0 ? 'no binding applies to the user' : 'no rule of the bound roles matches'
    return { ...decision, explanation: { text, considered } }
  }

  #decide(attributes: Attributes): Decision | Promise<Decision> {
    const { book, places, opa } = this.deps
    const { user, resourceScope: scope } = attributes
    if (isRegistering(user) && !isRegistration(attributes)) return NO_OPINION
    if (allowedIn(book.global, user, attributes)) return ALLOWED
    if (scope !== 'Global') {
      let workspace = ''
      let namespace = ''
      if (scope === 'Workspace') workspace = attributes.workspace
      else if (scope === 'Namespace') {
        namespace = attributes.namespace
        workspace = places.workspaceOf(namespace)
      } else if (scope === 'DevOps') {
        const project = places.devopsProject(attributes.devops)
        workspace = project?.workspace ?? ''
        namespace = project?.adminNamespace ?? ''
      }
      if (allowedIn(book.workspace(workspace), user, attributes)) return ALLOWED
      if (allowedIn(book.namespace(namespace), user, attributes)) return ALLOWED
      if (allowedIn(book.cluster, user, attributes)) return ALLOWED
    }
    if (opa !== undefined && book.roles.modules > 0) return this.#askModules(attributes, opa)
    return book.roles.faults === 0 ? NO_OPINION : this.#refusal(attributes)
  }

  async #askModules(attributes: Attributes, opa: OpaClient): Promise<Decision> {
    for (const { grants: place } of this.#places(attributes)) {
      for (const { grant } of heldBy(attributes.user, place)) {
        if (grant.role.module !== undefined && (await opa.allows(grant.role, grant.role.module, attributes)))
          return ALLOWED
      }
    }
    return this.#refusal(attributes)
  }

  async #ruleOf(role: RoleSlot, attributes: Attributes): Promise<unknown> {
    const native = role.native.find((rule) => rule.allows(attributes))
    if (native !== undefined) return native.id
    const rule = role.rules?.match(attributes)
    if (rule !== undefined || role.module === undefined) return rule
    return (await this.deps.opa?.allows(role, role.module, attributes)) ? 'policy module' : undefined
  }

  /** References that no role can satisfy, as far as they concern this user. */
  #refusal(attributes: Attributes): Decision {
    if (this.deps.book.roles.faults === 0) return NO_OPINION
    const faults = this.#places(attributes)
      .flatMap(({ grants: place }) => heldBy(attributes.user, place))
      .flatMap(({ grant }) => grant.role.fault ?? [])
    if (faults.length === 0) return NO_OPINION
    const text = faults.length === 1 ? faults[0] : `[${faults.join(', ')}]`
    return { allowed: false, reason: `RBAC: ${text}` }
  }

  /** The same places in the same order as `#decide`, for those who can afford the list. */
  #places({ resourceScope: scope, workspace, namespace, devops }: Attributes): Place[] {
    const { book, places } = this.deps
    const global: Place = { level: 'global', grants: book.global }
    const cluster: Place = { level: 'cluster', grants: book.cluster }
    switch (scope) {
      case 'Global':
        return [global]
      case 'Workspace':
        return [global, { level: 'workspace', grants: book.workspace(workspace) }, cluster]
      case 'Namespace':
        return [
          global,
          { level: 'workspace', grants: book.workspace(places.workspaceOf(namespace)) },
          { level: 'namespace', grants: book.namespace(namespace) },
          cluster,
        ]
      case 'DevOps': {
        const project = places.devopsProject(devops)
        return [
          global,
          { level: 'workspace', grants: book.workspace(project?.workspace ?? '') },
          { level: 'devops', grants: book.namespace(project?.adminNamespace ?? '') },
          cluster,
        ]
      }
      default:
        return [global, cluster]
    }
  }
}

function allowedIn(place: Grants | undefined, user: UserInfo, attributes: Attributes): boolean {
  if (place === undefined) return false
  if (anyGrants(place.users.get(user.name), attributes)) return true
  if (place.groups.size === 0) return false
  for (const group of user.groups) if (anyGrants(place.groups.get(group), attributes)) return true
  return false
}

function anyGrants(held: readonly Grant[] | undefined, attributes: Attributes): boolean {
  if (held === undefined) return false
  for (const { role } of held) if (grants(role, attributes)) return true
  return false
}

function heldBy(user: UserInfo, place: Grants | undefined): { grant: Grant; subject: string }[] {
  if (place === undefined) return []
  const own = place.users.get(user.name) ?? []
  return [
    ...own.map((grant) => ({ grant, subject: `User ${JSON.stringify(user.name)}` })),
    ...user.groups.flatMap((group) =>
      (place.groups.get(group) ?? []).map((grant) => ({ grant, subject: `Group ${JSON.stringify(group)}` })),
    ),
  ]
}

function grounds(
  level: Level,
  { kind, namespace, name }: BindingRecord,
  role: RoleSlot,
  subject: string,
  rule: unknown,
): Explanation {
  const inside = (place: string): { namespace?: string } => (place === '' ? {} : { namespace: place })
  return {
    text: `${nameOf({ kind, namespace, name })} of ${nameOf(role)} to ${subject}`,
    level,
    binding: { kind, name, ...inside(namespace) },
    role: { kind: role.kind, name: role.name, ...inside(role.namespace) },
    rule,
  }
}

function nameOf({ kind, namespace, name }: { kind: string; namespace: string; name: string }): string {
  return `${kind} ${JSON.stringify(namespace === '' ? name : `${namespace}/${name}`)}`
}
