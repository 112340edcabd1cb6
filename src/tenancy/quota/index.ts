/**
 * Quotas: how much objects take, what is used, and whether one more fits.
 *
 * Names and rules are those of the core ResourceQuota; a workspace's quota sums over its namespaces.
 */
export { judge, type Asked, type Verdict } from './admission.js'
export { type Amounts, amountsFrom, written } from './amounts.js'
export { evaluatorOf, resourcesOf } from './evaluators.js'
export { type GroupResource } from './objects.js'
export {
  type NamespaceQuotaObject,
  type Quota,
  quotaOfNamespace,
  quotaOfWorkspace,
  selectsNamespace,
} from './quotas.js'
export { type ObjectsIn, quotaStatus } from './usage.js'
