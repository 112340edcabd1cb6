/**
 * Groups of alerting rules of a project: whatever their expressions say, they are confined on their way to the ruler;
 * what cannot be confined is refused to those who are no administrators, also where no webhook is there to say so.
 */
import { ruleFault } from '../alerting/groups/faults.js'
import { withDefaults } from '../alerting/groups/defaults.js'
import { isGroupObject } from '../alerting/groups/shape.js'
import { RULE_GROUPS } from '../alerting/rulegroups.js'
import { forbidden } from '../apimachinery/errors/index.js'
import { type Policy } from '../serving/guard/policy.js'
import { type GuardDeps } from './deps.js'

const { group, resource } = RULE_GROUPS

export function ruleGroupPolicy({ rights }: Pick<GuardDeps, 'rights'>): Policy {
  return {
    group,
    resource,
    indifferentTo: ['delete'],
    judge({ caller, name, namespace, after }) {
      if (after === undefined || rights.holdsAll(caller, { level: 'cluster' })) return
      // Shapes that are none are refused by the Kubernetes API.
      const { spec } = isGroupObject(after) ? withDefaults(after, () => 'given later') : {}
      for (const rule of spec?.rules ?? []) {
        // What a rule of the cluster may say and one of a project may not.
        const fault = ruleFault(rule, 'namespace', namespace)
        if (fault !== undefined && ruleFault(rule, 'cluster', undefined) === undefined)
          throw forbidden(RULE_GROUPS, name, `User "${caller.name}" is no administrator, and ${fault}`)
      }
    },
  }
}
