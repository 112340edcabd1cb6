/**
 * Quotas: how much objects take, what is used, and whether one more fits.
 *
 * Names and rules are those of the core ResourceQuota; a workspace's quota sums over its namespaces.
 */
export { judge, type Asked, type Verdict } from './admission.js'
export { add, type Amounts, amountsFrom, written } from './amounts.js'
export { CountedObjects } from './caches.js'
export { evaluatorOf, resourcesOf } from './evaluators.js'
export { type GroupResource } from './objects.js'
export {
  type NamespaceQuotaObject,
  type Quota,
  quotaOfNamespace,
  quotaOfWorkspace,
  selectsNamespace,
} from './quotas.js'
export { QuotaSelectors, selectorsOf } from './selectors.js'
export { type ObjectsIn, quotaStatus, usageIn } from './usage.js'
