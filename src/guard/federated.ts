/**
 * Federated objects are copied to every cluster as what they hold: a FederatedGlobalRoleBinding is a binding. Only
 * administrators write those of identity, and nobody reads the hashes in them.
 */
import { isObject } from '../apimachinery/json/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type Policy } from '../serving/guard/policy.js'
import { type GuardDeps } from './deps.js'
import { administratorsPolicy } from './groups.js'

/** Release 3.1 had some of them in its own group. */
const GROUPS = ['types.kubefed.io', 'iam.kubesphere.io']

const RESOURCES = [
  'federatedusers',
  'federatedglobalroles',
  'federatedglobalrolebindings',
  'federatedworkspaceroles',
  'federatedworkspacerolebindings',
  'federatedworkspaces',
  'federatedgroups',
  'federatedgroupbindings',
  'federatedclusterroles',
  'federatedclusterrolebindings',
  'federatedroles',
  'federatedrolebindings',
]

export function federatedPolicies(deps: GuardDeps): Policy[] {
  return GROUPS.flatMap((group) =>
    RESOURCES.map((resource) => ({
      ...administratorsPolicy(deps, group, resource, 'this is copied to every cluster'),
      ...(resource === 'federatedusers' && { conceal: concealHash }),
    })),
  )
}

function concealHash(federated: KubeObject): void {
  let at: unknown = federated
  for (const key of ['spec', 'template', 'spec']) at = isObject(at) ? at[key] : undefined
  if (isObject(at)) delete at['password']
}
