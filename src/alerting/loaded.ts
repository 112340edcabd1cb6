/** How rules are doing in their ruler: what it has loaded, found by the object, the group and the id of a rule. */
import { type RulerAlert, type RulerGroup, type RulerRule } from '../integrations/prometheus/rules.js'
import { durationText } from '../integrations/prometheus/durations.js'
import { filled } from './filled.js'
import { ruleId } from './ruleid.js'
import { type Alert, type AlertingRule, type PlacedRule, type Texts } from './types.js'

/** Replicas of a ruler tell their rules apart by these. */
const OF_RULERS = ['prometheus_replica', 'thanos_ruler_replica']
/** Operators name the file of an object `<namespace>-<name>`, newer ones with its uid behind. */
const UID_SUFFIX = /-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export class LoadedRules {
  readonly #groups = new Map<string, RulerGroup[]>()
  readonly #ids = new Map<RulerGroup, Map<string, RulerRule>>()

  /** @param externalLabels what the ruler puts on all it says */
  constructor(
    groups: readonly RulerGroup[],
    private readonly externalLabels: Readonly<Texts>,
  ) {
    for (const group of groups) {
      const key = keyOf(fileName(group.file), group.name)
      this.#groups.set(key, [...(this.#groups.get(key) ?? []), group])
    }
  }

  find({ namespace, resource, group, id }: PlacedRule): RulerRule | undefined {
    for (const one of this.#groups.get(keyOf(`${namespace}-${resource}`, group)) ?? []) {
      const rule = this.#byId(one).get(id)
      if (rule) return rule
    }
    return undefined
  }

  /** Every rule with the id that an object of the same content would give it. */
  *all(): Iterable<{ id: string; rule: RulerRule }> {
    for (const groups of this.#groups.values())
      for (const group of groups) for (const [id, rule] of this.#byId(group)) yield { id, rule }
  }

  /** Of a group that nobody asks about no id is worked out. */
  #byId(group: RulerGroup): Map<string, RulerRule> {
    let ids = this.#ids.get(group)
    if (ids) return ids
    ids = new Map()
    for (const rule of group.rules ?? []) {
      if (rule.type !== undefined && rule.type !== 'alerting') continue
      const id = ruleId({
        group: group.name ?? '',
        name: rule.name ?? '',
        query: rule.query ?? '',
        duration: durationOf(rule),
        labels: this.#own(rule.labels ?? {}),
      })
      if (!ids.has(id)) ids.set(id, rule)
    }
    this.#ids.set(group, ids)
    return ids
  }

  #own(labels: Readonly<Texts>): Texts {
    return Object.fromEntries(
      Object.entries(labels).filter(
        ([name, value]) => !OF_RULERS.includes(name) && this.externalLabels[name] !== value,
      ),
    )
  }
}

/** A stored rule with how it is doing; one that is not loaded yet is inactive. */
export function describeStored(placed: PlacedRule, loaded: LoadedRules): AlertingRule {
  const { id, rule } = placed
  return filled({
    id,
    name: rule.alert ?? '',
    query: String(rule.expr),
    duration: rule.for ?? '',
    labels: rule.labels ?? {},
    annotations: rule.annotations ?? {},
    ...doing(id, rule.alert ?? '', loaded.find(placed)),
  })
}

/** A rule that only its ruler knows. */
export function describeLoaded(id: string, rule: RulerRule): AlertingRule {
  const { name = '', query = '', duration = 0, labels = {}, annotations = {} } = rule
  return filled({
    id,
    name,
    query,
    duration: duration === 0 ? '' : durationOf(rule),
    labels,
    annotations,
    ...doing(id, name, rule),
  })
}

function doing(id: string, name: string, rule: RulerRule | undefined): AlertingRule {
  if (!rule) return { state: 'inactive', health: 'unknown' }
  const { state = '', health = '', lastError = '', evaluationTime = 0, lastEvaluation = '' } = rule
  const alerts = (rule.alerts ?? []).map((alert) => alertOf(alert, id, name))
  return {
    state: state === '' ? stateOf(alerts) : state,
    health,
    lastError,
    evaluationTime,
    lastEvaluation,
    alerts,
  }
}

function alertOf(
  { activeAt = '', annotations = {}, labels = {}, state = '', value = '' }: RulerAlert,
  id: string,
  name: string,
): Alert {
  return filled({ activeAt, annotations, labels, state, value, ruleId: id, ruleName: name })
}

function stateOf(alerts: readonly Alert[]): string {
  return ['firing', 'pending'].find((wanted) => alerts.some(({ state }) => state === wanted)) ?? 'inactive'
}

function durationOf({ duration = 0 }: RulerRule): string {
  return durationText(duration * 1_000)
}

function fileName(path = ''): string {
  const base = path.slice(path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '')
  return base.replace(UID_SUFFIX, '')
}

function keyOf(file: string, group = ''): string {
  return `${file}\n${group}`
}
