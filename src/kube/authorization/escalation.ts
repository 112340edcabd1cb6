/**
 * Nobody may give more than they hold.
 *
 * Writing a role needs every permission in it, or the verb `escalate` on the role; writing a binding
 * needs every permission of the referenced role, or the verb `bind` on that role.
 */
import { forbidden, notFound } from '../../apimachinery/errors/index.js'
import { type KubeObject, type UserInfo } from '../../apimachinery/meta/types.js'
import { equalExcept } from '../registry/equal.js'
import { type AdmissionPlugin, type AdmissionRequest } from '../registry/strategy.js'
import { MASTERS, type Rbac, RBAC_GROUP, type RoleRef } from './rbac.js'
import { missingFrom, type PolicyRule, ruleText } from './rules.js'

const EVERYTHING: PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

export function escalationCheck(rbac: Rbac): AdmissionPlugin {
  return {
    name: 'RBACEscalation',
    validate(request) {
      const { definition, object, previous, subresource } = request
      if (definition.group !== RBAC_GROUP || subresource !== '' || !object) return
      if (request.context.user.groups.includes(MASTERS)) return
      if (previous && onlyOwnersChanged(object, previous)) return
      if (definition.resource.endsWith('bindings')) checkBinding(rbac, request, object)
      else checkRole(rbac, request, object)
    },
  }
}

/** The garbage collector must be able to do its work on roles that it could not write itself. */
function onlyOwnersChanged(object: Readonly<KubeObject>, previous: Readonly<KubeObject>): boolean {
  const without = ['ownerReferences', 'finalizers', 'managedFields']
  return (
    equalExcept(object, previous, ['metadata']) &&
    equalExcept(
      object.metadata as Record<string, unknown>,
      previous.metadata as Record<string, unknown>,
      without,
    )
  )
}

function checkRole(rbac: Rbac, request: AdmissionRequest, object: KubeObject): void {
  const { definition, namespace, name, context } = request
  if (mayDo(rbac, context.user, 'escalate', definition.resource, namespace, name)) return
  const wanted = [...((object.rules ?? []) as PolicyRule[])]
  // What an aggregated role will hold is not known yet: it may be anything.
  if (object.aggregationRule !== undefined) wanted.push(...EVERYTHING)
  refuseMissing(rbac, request, wanted)
}

function checkBinding(rbac: Rbac, request: AdmissionRequest, object: KubeObject): void {
  const { namespace, context } = request
  const roleRef = object.roleRef as RoleRef
  const resource = roleRef.kind === 'Role' ? 'roles' : 'clusterroles'
  if (mayDo(rbac, context.user, 'bind', resource, namespace, roleRef.name)) return
  const rules = rbac.rulesOfRole(roleRef, namespace)
  if (!rules) throw notFound({ group: RBAC_GROUP, resource }, roleRef.name)
  refuseMissing(rbac, request, rules)
}

function mayDo(
  rbac: Rbac,
  user: UserInfo,
  verb: string,
  resource: string,
  namespace: string,
  name: string,
): boolean {
  return rbac.authorize({
    user,
    verb,
    resourceRequest: true,
    path: '',
    apiGroup: RBAC_GROUP,
    apiVersion: '*',
    namespace,
    resource,
    subresource: '',
    name,
  }).allowed
}

function refuseMissing(rbac: Rbac, request: AdmissionRequest, wanted: readonly PolicyRule[]): void {
  const { definition, namespace, name, context } = request
  const { user } = context
  const missing = missingFrom(rbac.rulesOf(user, namespace), wanted)
  if (missing.length === 0) return
  const groups = user.groups.map((group) => JSON.stringify(group)).join(' ')
  const rules = missing.map(ruleText).sort().join('\n')
  throw forbidden(
    definition,
    name,
    `user ${JSON.stringify(user.name)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${rules}`,
  )
}
