/**
 * ClusterRoles with an aggregation rule hold the rules of the roles that the rule's selectors choose, in the order of
 * their names.
 */
import { type Reconciler, type Request } from '../../../controller/index.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type LabelSelector, selectorFromLabelSelector } from '../../../apimachinery/labels/index.js'
import { type Objects } from '../../objects.js'
import { type Writer } from '../writer.js'

const GROUP = 'rbac.authorization.k8s.io'

interface ClusterRole extends KubeObject {
  aggregationRule?: { clusterRoleSelectors?: LabelSelector[] }
  rules?: unknown[]
}

export class AggregationReconciler implements Reconciler {
  constructor(private readonly deps: { objects: Objects; writer: Writer }) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<void> {
    const { objects, writer } = this.deps
    const role = objects.get<ClusterRole>(GROUP, 'clusterroles', '', name)
    const selectors = (role?.aggregationRule?.clusterRoleSelectors ?? []).map(selectorFromLabelSelector)
    if (!role || selectors.length === 0 || role.metadata.deletionTimestamp !== undefined) return
    const seen = new Set<string>()
    const rules = objects
      .list<ClusterRole>(GROUP, 'clusterroles')
      .filter(
        ({ metadata }) =>
          metadata.name !== name && selectors.some((selector) => selector.matches(metadata.labels ?? {})),
      )
      .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
      .flatMap((each) => each.rules ?? [])
      .filter((rule) => {
        const text = JSON.stringify(rule)
        return !seen.has(text) && seen.add(text)
      })
    if (JSON.stringify(rules) === JSON.stringify(role.rules ?? [])) return
    await writer.update(
      writer.definition(GROUP, 'v1', 'clusterroles'),
      '',
      name,
      (current) => ({ ...current, rules }),
      { signal },
    )
  }
}
