/**
 * Service accounts: a role for one is granted like any other, and its token is for those who hold what it holds.
 *
 * Whoever may create pods in a namespace can run them as any of its service accounts, and whoever may read its
 * Secrets can read their tokens; that is how Kubernetes means namespaces, and is left as it is.
 */
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type UserInfo } from '../apimachinery/meta/types.js'
import { type GuardedWrite, type Policy } from '../serving/guard/policy.js'
import { ROLE } from '../tenancy/names.js'
import { type GuardDeps } from './deps.js'
import { annotation } from './fields.js'

const TOKEN_TYPE = 'kubernetes.io/service-account-token'
const ACCOUNT = 'kubernetes.io/service-account.name'

export function serviceAccountPolicies(deps: GuardDeps): Policy[] {
  return [accountPolicy(deps), tokenSecretPolicy(deps)]
}

function accountPolicy({ rights, resources }: GuardDeps): Policy {
  async function judge(write: GuardedWrite): Promise<void> {
    const { caller, subresource, namespace, name, before, after } = write
    if (subresource === 'token') return rights.demandPowerEverywhere(caller, account(namespace, name))
    // A controller binds the account to the role that this annotation names.
    const role = annotation(after, ROLE)
    if (typeof role !== 'string' || role === '' || role === annotation(before, ROLE)) return
    await rights.demandGrant(caller, 'Role', resources.roles.require(role, namespace), {
      level: 'namespace',
      namespace,
    })
  }
  return { group: '', resource: 'serviceaccounts', indifferentTo: ['delete'], judge }
}

/** A Secret of this type is filled with a token that never expires. */
function tokenSecretPolicy({ rights }: GuardDeps): Policy {
  function judge({ caller, namespace, before, after }: GuardedWrite): void {
    if (after === undefined || typeOf(before ?? after) !== TOKEN_TYPE) return
    const name = annotation(after, ACCOUNT)
    if (typeof name === 'string' && name !== annotation(before, ACCOUNT))
      rights.demandPowerEverywhere(caller, account(namespace, name))
  }
  return { group: '', resource: 'secrets', indifferentTo: ['delete'], judge }
}

const typeOf = (secret: KubeObject): unknown => secret['type']

/** What all service accounts of the cluster have makes no difference. */
function account(namespace: string, name: string): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: [`system:serviceaccounts:${namespace}`],
  }
}
