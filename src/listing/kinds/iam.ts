/** Users, roles and bindings of the platform (resources.md §3.5.10, §3.5.12). */
import { StatusError } from '../../apimachinery/errors/index.js'
import { type CachedObject } from '../../client/cache/interface.js'
import { withoutApplied } from '../../tenancy/accounts/lastapplied.js'
import {
  byField,
  kind,
  listAt,
  textAt,
  type AnyKind,
  type KindDefinition,
  type ListScope,
  type Source,
} from '../kind.js'

const IAM = 'iam.kubesphere.io'
const RBAC = 'rbac.authorization.k8s.io'
const WORKSPACE = 'kubesphere.io/workspace'
const AGGREGATION = 'iam.kubesphere.io/aggregation-roles'

interface BindingFields {
  roleName: string
}

function bindingKind(
  group: string,
  version: string,
  resource: string,
  namespaced: boolean,
): KindDefinition<BindingFields> {
  return {
    group,
    versions: [version],
    resource,
    singular: `${resource.slice(0, -1)}.${group}`,
    namespaced,
    cache: { extract: (object) => ({ roleName: textAt(object, 'roleRef', 'name') }) },
  }
}

const roleBindings = bindingKind(RBAC, 'v1', 'rolebindings', true)
const clusterRoleBindings = bindingKind(RBAC, 'v1', 'clusterrolebindings', false)
const globalRoleBindings = bindingKind(IAM, 'v1alpha2', 'globalrolebindings', false)
const workspaceRoleBindings: KindDefinition<BindingFields> = {
  ...bindingKind(IAM, 'v1alpha2', 'workspacerolebindings', false),
  filters: {
    workspace: (value) => ({ matches: ({ labels }) => labels[WORKSPACE] === value }),
    rolename: byField<BindingFields>(({ roleName }, value) => roleName === value),
  },
}

/** `aggregateTo=<role>`: the roles that this role is made of, in place of the ordinary listing. */
function aggregated(
  query: { filters: ReadonlyMap<string, string> },
  { store, namespace }: ListScope<unknown>,
): Source<unknown> | undefined {
  const parentName = query.filters.get('aggregateTo')
  if (parentName === undefined) return undefined
  const parent = store.get(namespace ?? '', parentName)
  if (!parent)
    throw new StatusError({ code: 500, reason: 'NotFound', message: `role "${parentName}" not found` })
  const members = namesIn(store.object(parent).metadata.annotations?.[AGGREGATION])
  return {
    objects: members.flatMap((name) => store.get(namespace ?? '', name) ?? []),
    consumed: ['aggregateTo'],
  }
}

function namesIn(json: string | undefined): string[] {
  try {
    const value: unknown = JSON.parse(json ?? '[]')
    return Array.isArray(value) ? value.filter((name): name is string => typeof name === 'string') : []
  } catch {
    return []
  }
}

function roleKind(group: string, version: string, resource: string, namespaced: boolean): AnyKind {
  return kind({
    group,
    versions: [version],
    resource,
    singular: `${resource.slice(0, -1)}.${group}`,
    namespaced,
    ...(resource === 'workspaceroles' && {
      filters: { workspace: (value) => ({ matches: ({ labels }) => labels[WORKSPACE] === value }) },
    }),
    source: aggregated,
  })
}

interface UserFields {
  email: string
  groups: readonly string[]
}

const ROLE_ANNOTATION = 'iam.kubesphere.io'

/** Which bindings choose the users, from the first of these keys that the query has. */
const USER_SOURCES: readonly {
  key: string
  roleKey: string
  annotation: string
  bindings: KindDefinition<BindingFields>
  applies(binding: CachedObject<BindingFields>, value: string): boolean
}[] = [
  {
    key: 'namespace',
    roleKey: 'role',
    annotation: `${ROLE_ANNOTATION}/role`,
    bindings: roleBindings,
    applies: ({ namespace }, value) => namespace === value,
  },
  {
    key: 'workspace',
    roleKey: 'workspacerole',
    annotation: `${ROLE_ANNOTATION}/workspacerole`,
    bindings: workspaceRoleBindings,
    applies: ({ labels }, value) => labels[WORKSPACE] === value,
  },
  {
    key: 'cluster',
    roleKey: 'clusterrole',
    annotation: `${ROLE_ANNOTATION}/clusterrole`,
    bindings: clusterRoleBindings,
    applies: (_binding, value) => value === 'true',
  },
  {
    key: 'globalrole',
    roleKey: 'globalrole',
    annotation: `${ROLE_ANNOTATION}/globalrole`,
    bindings: globalRoleBindings,
    applies: () => true,
  },
]

function boundUsers(
  { filters }: { filters: ReadonlyMap<string, string> },
  { store, stores }: ListScope<UserFields>,
): Source<UserFields> | undefined {
  const chosen = USER_SOURCES.find(({ key }) => filters.has(key))
  if (!chosen) return undefined
  const value = filters.get(chosen.key) ?? ''
  const role = filters.get(chosen.roleKey)
  const roleOf = new Map<string, string>()
  const objects: CachedObject<UserFields>[] = []
  const bindings = stores.of(chosen.bindings)
  const candidates =
    chosen.key === 'namespace'
      ? bindings.byName(value)
      : chosen.key === 'workspace'
        ? bindings.byLabel(WORKSPACE, value)
        : bindings.byName()
  for (const binding of candidates) {
    const { roleName } = binding.fields
    if (!chosen.applies(binding, value) || (role !== undefined && roleName !== role)) continue
    for (const subject of listAt(bindings.object(binding), 'subjects')) {
      const name = textAt(subject, 'name')
      if (textAt(subject, 'kind') !== 'User' || roleOf.has(name)) continue
      const user = store.get('', name)
      if (!user) continue
      roleOf.set(name, roleName)
      objects.push(user)
    }
  }
  return {
    objects,
    consumed: [chosen.key, chosen.roleKey],
    annotate: ({ name }) => ({ [chosen.annotation]: roleOf.get(name) ?? '' }),
  }
}

const users = kind<UserFields>({
  group: IAM,
  versions: ['v1alpha2'],
  resource: 'users',
  singular: `user.${IAM}`,
  namespaced: false,
  cache: {
    extract: (object) => ({
      email: textAt(object, 'spec', 'email'),
      groups: listAt(object, 'spec', 'groups').filter((name): name is string => typeof name === 'string'),
    }),
  },
  filters: {
    email: byField<UserFields>(({ email }, value) => email === value),
    ingroup: byField<UserFields>(({ groups }, value) => groups.includes(value)),
    notingroup: byField<UserFields>(({ groups }, value) => !groups.includes(value)),
  },
  source: boundUsers,
  // Password hashes leave this server in no answer.
  decorate(user) {
    const spec = user['spec'] as Record<string, unknown> | undefined
    if (spec?.['password'] !== undefined) delete spec['password']
    const { annotations } = user.metadata
    if (annotations) user.metadata.annotations = withoutApplied(annotations)
  },
  dependsOn: () => '',
})

const groupBindings = kind<{ users: readonly string[] }>({
  group: IAM,
  versions: ['v1alpha2'],
  resource: 'groupbindings',
  singular: `groupbinding.${IAM}`,
  namespaced: false,
  cache: {
    extract: (object) => ({
      users: listAt(object, 'users').filter((name): name is string => typeof name === 'string'),
    }),
  },
  filters: {
    user: byField<{ users: readonly string[] }>(({ users: members }, value) => members.includes(value)),
  },
})

const loginRecords = kind<{ type: string }>({
  group: IAM,
  versions: ['v1alpha2'],
  resource: 'loginrecords',
  singular: `loginrecord.${IAM}`,
  namespaced: false,
  cache: { extract: (object) => ({ type: textAt(object, 'spec', 'type') }) },
  filters: { type: byField<{ type: string }>(({ type }, value) => type === value) },
})

export const iamKinds: AnyKind[] = [
  users,
  roleKind(RBAC, 'v1', 'roles', true),
  roleKind(RBAC, 'v1', 'clusterroles', false),
  roleKind(IAM, 'v1alpha2', 'globalroles', false),
  roleKind(IAM, 'v1alpha2', 'workspaceroles', false),
  kind(roleBindings),
  kind(clusterRoleBindings),
  kind(globalRoleBindings),
  kind(workspaceRoleBindings),
  groupBindings,
  loginRecords,
]
