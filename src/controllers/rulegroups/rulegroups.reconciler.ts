/** Brings the groups of one place (a namespace, or the cluster) into PrometheusRule objects for the ruler. */
import { equal } from '../../apimachinery/json/value.js'
import { packed } from '../../alerting/groups/packed.js'
import { rendered } from '../../alerting/groups/rendered.js'
import { type GroupObject } from '../../alerting/groups/types.js'
import { MONITORING_NAMESPACE } from '../../alerting/names.js'
import { type Level } from '../../alerting/rulegroups.js'
import { type PrometheusRuleObject, type StoredGroup, type Texts } from '../../alerting/types.js'
import { type Reconciler, type Request, type Stored } from '../../controller/index.js'

export const ENABLED = 'alerting.kubesphere.io/enable'
export const OWNER_LEVEL = 'alerting.kubesphere.io/rule_level'
export const OWNER_NAMESPACE = 'alerting.kubesphere.io/owner_namespace'

export interface RuleGroupsDeps {
  level: Level
  groups: Pick<Stored<GroupObject>, 'list'>
  objects: Stored<PrometheusRuleObject>
  /** Of the configuration: what the ruler selects. */
  resourceLabels: Readonly<Texts>
  /** Tells of rules that a group has and its ruler does not get. */
  tellFaults: (group: Readonly<GroupObject>, faults: readonly string[]) => void
}

export class RuleGroupsReconciler implements Reconciler {
  constructor(private readonly deps: RuleGroupsDeps) {}

  /** `name` is the namespace; empty for the groups of the cluster. */
  async reconcile({ name: namespace }: Request, signal: AbortSignal): Promise<void> {
    const { objects } = this.deps
    const existing = this.#existing(namespace)
    const placed = new Map<string, number>()
    for (const [number, { spec }] of existing)
      for (const { name } of spec?.groups ?? []) if (!placed.has(name)) placed.set(name, number)
    const wanted = packed(this.#rendered(namespace), placed)
    // What is added first: in between, a rule is there twice rather than not at all.
    for (const [number, groups] of wanted) await this.#put(namespace, number, groups, existing, signal)
    for (const [number, object] of existing) if (!wanted.has(number)) await objects.delete(object, signal)
  }

  #rendered(namespace: string): StoredGroup[] {
    const { level, groups, tellFaults } = this.deps
    const made: StoredGroup[] = []
    for (const group of groups.list(level === 'namespace' ? namespace : undefined)) {
      const { labels, deletionTimestamp } = group.metadata
      if (labels?.[ENABLED] !== 'true' || deletionTimestamp !== undefined) continue
      const { group: one, faults } = rendered(group, level)
      if (one) made.push(one)
      if (faults.length > 0) tellFaults(group, faults)
    }
    return made
  }

  async #put(
    namespace: string,
    number: number,
    groups: StoredGroup[],
    existing: ReadonlyMap<number, Readonly<PrometheusRuleObject>>,
    signal: AbortSignal,
  ): Promise<void> {
    const { objects, resourceLabels, level } = this.deps
    const labels = {
      ...resourceLabels,
      [OWNER_LEVEL]: level,
      ...(level === 'namespace' && { [OWNER_NAMESPACE]: namespace }),
    }
    const before = existing.get(number)
    if (!before) {
      const metadata = { name: prefixOf(level, namespace) + number, namespace: MONITORING_NAMESPACE, labels }
      return objects.create({ metadata, spec: { groups } }, signal)
    }
    const own = { ...before.metadata.labels, ...labels }
    if (equal(before.spec?.groups, groups) && equal(own, before.metadata.labels)) return
    await objects.commit(
      before,
      { ...before, metadata: { ...before.metadata, labels: own }, spec: { ...before.spec, groups } },
      signal,
    )
  }

  #existing(namespace: string): Map<number, Readonly<PrometheusRuleObject>> {
    const { level, objects } = this.deps
    const [key, value] = level === 'namespace' ? [OWNER_NAMESPACE, namespace] : [OWNER_LEVEL, level]
    const prefix = prefixOf(level, namespace)
    const found = new Map<number, Readonly<PrometheusRuleObject>>()
    for (const object of objects.labelled(key, value)) {
      const { name = '', namespace: place, deletionTimestamp } = object.metadata
      const number = name.startsWith(prefix) ? name.slice(prefix.length) : ''
      if (place === MONITORING_NAMESPACE && /^\d{1,6}$/.test(number) && deletionTimestamp === undefined)
        found.set(Number(number), object)
    }
    return found
  }
}

function prefixOf(level: Level, namespace: string): string {
  const of: Record<Level, string> = { namespace: `ns-${namespace}`, cluster: 'cl', global: 'gl' }
  return `alertrules-${of[level]}-`
}
