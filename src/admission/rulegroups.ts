/** `*rulegroups.alerting.kubesphere.io`: groups of rules are completed, and a ruler can read what is stored. */
import { randomUUID } from 'node:crypto'
import { groupFault } from '../alerting/groups/faults.js'
import { withDefaults } from '../alerting/groups/defaults.js'
import { isGroupObject } from '../alerting/groups/shape.js'
import { CLUSTER_RULE_GROUPS, GLOBAL_RULE_GROUPS, type Level, RULE_GROUPS } from '../alerting/rulegroups.js'
import { ADMITTED, refused, type Webhook } from '../apimachinery/admission/index.js'
import { type CachedResourceType } from '../client/cachedresource.js'

export function ruleGroupWebhooks(): Webhook[] {
  return [
    ...webhooksOf(RULE_GROUPS, 'namespace'),
    ...webhooksOf(CLUSTER_RULE_GROUPS, 'cluster'),
    ...webhooksOf(GLOBAL_RULE_GROUPS, 'global'),
  ]
}

function webhooksOf({ group, version, resource, kind }: CachedResourceType, level: Level): Webhook[] {
  const what = `alerting-kubesphere-io-v2beta1-${kind.toLowerCase()}`
  const rules = [{ group, version, resources: [resource], operations: ['CREATE', 'UPDATE'] as const }]
  return [
    {
      name: `${resource}.${group}`,
      path: `/mutate-${what}`,
      rules,
      failurePolicy: 'Fail',
      mutate: ({ object }) => (isGroupObject(object) ? withDefaults(object, randomUUID) : undefined),
    },
    {
      name: `${resource}.${group}`,
      path: `/validate-${what}`,
      rules,
      failurePolicy: 'Fail',
      handle({ object, namespace = '' }) {
        // On its way out: whatever it says, its finalizers must go.
        if (!isGroupObject(object) || object.metadata.deletionTimestamp !== undefined) return ADMITTED
        const metadata = { ...object.metadata, ...(namespace !== '' && { namespace }) }
        const fault = groupFault({ ...object, metadata }, level)
        return fault === undefined ? ADMITTED : refused(400, 'BadRequest', fault)
      },
    },
  ]
}
