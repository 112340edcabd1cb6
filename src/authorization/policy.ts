/**
 * Native rules: what plain policy rules cannot say, because it depends on who asks.
 *
 * GlobalRole `authenticated` grants every logged-in user access to what is theirs. The original says so in a
 * Rego module in the annotation `iam.kubesphere.io/rego-override`; that module is recognised by its digest and
 * the rules below are evaluated in its place. Roles made here name the rules instead, in the annotation
 * `iam.kubesphere.io/native-rules`, a comma list. Both count on GlobalRoles only.
 *
 * Narrower than the original on purpose: "own user" means the groups that really have a user of that name, not
 * any resource called `users`, and a name taken from a field selector does not make a platform list one's own.
 */
import { createHash } from 'node:crypto'
import { type Attributes } from './interface.js'

export const REGO_ANNOTATION = 'iam.kubesphere.io/rego-override'
export const NATIVE_RULES_ANNOTATION = 'iam.kubesphere.io/native-rules'

export interface NativeRule {
  /** The names of roles.yaml, `authenticatedPolicy`. */
  readonly id: string
  readonly description: string
  allows(attributes: Attributes): boolean
}

const OWN_USER_GROUPS: ReadonlySet<string> = new Set([
  'iam.kubesphere.io',
  // Tools and notification settings that the platform keeps below the user's name.
  'resources.kubesphere.io',
  'notification.kubesphere.io',
  'terminal.kubesphere.io',
])
const MEMBERSHIPS: ReadonlySet<string> = new Set(['clustermembers', 'workspacemembers', 'members'])

const reads = (verb: string): boolean => verb === 'get' || verb === 'list' || verb === 'watch'

/** A nameless request has its name from a field selector, which only the Kubernetes API applies. */
const namedSelf = ({ user, name, verb, isKubernetesRequest }: Attributes): boolean =>
  name === user.name && name !== '' && (isKubernetesRequest || (verb !== 'list' && verb !== 'watch'))

export const NATIVE_RULES: readonly NativeRule[] = [
  {
    id: 'own-user',
    description: 'everything on the user of the same name',
    allows: (attributes) =>
      attributes.resource === 'users' &&
      namedSelf(attributes) &&
      OWN_USER_GROUPS.has(attributes.apiGroup) &&
      (!attributes.isKubernetesRequest || attributes.apiGroup === 'iam.kubesphere.io'),
  },
  {
    id: 'own-membership',
    description: 'read the membership entry of the same name',
    allows: (attributes) =>
      MEMBERSHIPS.has(attributes.resource) && reads(attributes.verb) && namedSelf(attributes),
  },
  {
    id: 'api-roots',
    description: 'GET /api and /api/v1',
    allows: ({ path, verb }) => verb === 'GET' && (path === '/api' || path === '/api/v1'),
  },
  {
    id: 'tenant-read',
    description: 'read the tenant API, whose handlers narrow the answer to the caller',
    allows: ({ apiGroup, isKubernetesRequest, verb }) =>
      apiGroup === 'tenant.kubesphere.io' && !isKubernetesRequest && reads(verb),
  },
  {
    id: 'permissions-read',
    description:
      'ask for the permissions of a user, whose handler narrows the answer to what the caller may see',
    allows: ({ apiGroup, isKubernetesRequest, resource, subresource, verb }) =>
      apiGroup === 'iam.kubesphere.io' &&
      !isKubernetesRequest &&
      resource === 'users' &&
      subresource === 'permissions' &&
      reads(verb),
  },
]

const byId = new Map(NATIVE_RULES.map((rule) => [rule.id, rule]))

/** SHA-256 of stock modules without white space. */
const STOCK_MODULES: ReadonlySet<string> = new Set([
  // ks-installer v3.2.1 and v3.4.1, GlobalRole `authenticated`
  '1295aba08ce11f05d8e8f219abb0039f9b4fd9cfd7b3861681b3db153b9145e1',
])

export function isStockModule(module: string): boolean {
  return STOCK_MODULES.has(createHash('sha256').update(module.replace(/\s+/g, '')).digest('hex'))
}

/** @returns the rules named in the comma list, and the names that mean nothing */
export function nativeRules(list: string): { rules: NativeRule[]; unknown: string[] } {
  const ids = list
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '')
  return {
    rules: ids.flatMap((id) => byId.get(id) ?? []),
    unknown: ids.filter((id) => !byId.has(id)),
  }
}
