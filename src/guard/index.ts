/**
 * The policies of the platform for requests that go to the Kubernetes API: what its tenants are kept apart by is not
 * theirs to write, and secrets of accounts are not theirs to read.
 *
 * One file per matter, one policy per resource. How policies are applied is in `serving/guard`.
 */
import { type Policy, PolicyTable } from '../serving/guard/policy.js'
import { ROLE_BASES } from '../tenancy/resources.js'
import { bindingPolicies } from './bindings.js'
import { certificatePolicy } from './certificates.js'
import { clusterPolicy } from './clusters.js'
import { type GuardDeps } from './deps.js'
import { devopsProjectPolicy } from './devopsprojects.js'
import { federatedPolicies } from './federated.js'
import { federatedNamespacePolicy } from './federatednamespaces.js'
import { gatewayPolicies } from './gateways.js'
import { administratorsPolicy, groupPolicies } from './groups.js'
import { monitorPolicies } from './monitors.js'
import { namespacePolicy } from './namespaces.js'
import { notificationPolicies } from './notifications.js'
import { prometheusRulePolicy } from './prometheusrules.js'
import { workspaceQuotaPolicy } from './quotas.js'
import { rolePolicies } from './roles.js'
import { ruleGroupPolicy } from './rulegroups.js'
import { serviceAccountPolicies } from './serviceaccounts.js'
import { userPolicy } from './users.js'
import { workspacePolicies } from './workspaces.js'

export { type GuardDeps } from './deps.js'

export function createPolicies(deps: GuardDeps, more: readonly Policy[] = []): PolicyTable {
  const { group, resource } = ROLE_BASES
  return new PolicyTable([
    ...rolePolicies(deps),
    ...bindingPolicies(deps),
    ...groupPolicies(deps),
    administratorsPolicy(deps, group, resource, 'this becomes a role in every workspace or project'),
    namespacePolicy(deps),
    federatedNamespacePolicy(deps),
    devopsProjectPolicy(deps),
    workspaceQuotaPolicy(deps),
    ...workspacePolicies(deps),
    ...serviceAccountPolicies(deps),
    certificatePolicy(deps),
    clusterPolicy,
    ...gatewayPolicies(deps),
    prometheusRulePolicy(deps),
    ruleGroupPolicy(deps),
    ...monitorPolicies(deps),
    ...federatedPolicies(deps),
    userPolicy(deps),
    ...notificationPolicies(deps),
    ...more,
  ])
}
