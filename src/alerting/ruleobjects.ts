/**
 * The PrometheusRule objects of one namespace and level, in memory: rules are added and removed, and what has to be
 * written then is told.
 *
 * Groups hold few rules and objects stay well below the size that operators can pass on, so that a change reloads
 * little.
 */
import { GROUP_PREFIX } from './names.js'
import { type PrometheusRuleObject, type StoredGroup, type StoredRule } from './types.js'

const RULES_PER_GROUP = 20
/** 0.45 MiB, as JSON: operators put several objects into a ConfigMap of one. */
export const OBJECT_LIMIT_BYTES = Math.floor(0.45 * 1024 * 1024)

export interface ObjectChange {
  verb: 'create' | 'update' | 'delete'
  object: PrometheusRuleObject
  /** Names of the rules that depend on it. */
  names: ReadonlySet<string>
}

interface Held {
  object: PrometheusRuleObject
  groups: StoredGroup[]
  isNew: boolean
  size: number
  changed: Set<string>
}

/** Where a rule was: object and group. */
export type Places = ReadonlySet<string>

export class RuleObjects {
  readonly #held: Held[]

  /** @param objects changed in place; @param blank a new object, without rules and name */
  constructor(
    objects: readonly PrometheusRuleObject[],
    private readonly blank: () => PrometheusRuleObject,
  ) {
    this.#held = objects.map((object) => held(object, false))
  }

  has(name: string): boolean {
    return this.#held.some(({ groups }) => groups.some((group) => rulesOf(group).some(called(name))))
  }

  /** Out of every object that holds it. @returns where it was; empty: nowhere */
  remove(name: string): Places {
    const places = new Set<string>()
    for (const one of this.#held) {
      for (const group of one.groups) {
        const kept = rulesOf(group).filter((rule) => !called(name)(rule))
        if (kept.length === rulesOf(group).length) continue
        group.rules = kept
        places.add(placeOf(one, group.name))
        one.changed.add(name)
      }
      if (one.changed.has(name)) {
        one.groups = one.groups.filter((group) => rulesOf(group).length > 0)
        one.size = sizeOf(one)
      }
    }
    return places
  }

  /**
   * @param ruleIn the rule, once its group is known
   * @param avoid where it was: in another group Prometheus forgets its alerts
   * @returns false when it is too large for any object
   */
  add(name: string, ruleIn: (group: string) => StoredRule, avoid: Places): boolean {
    for (const one of this.#held) if (this.#put(one, name, ruleIn, avoid)) return true
    const fresh = held(this.blank(), true)
    if (!this.#put(fresh, name, ruleIn, avoid)) return false
    this.#held.push(fresh)
    return true
  }

  *changes(): Iterable<ObjectChange> {
    // What is added first: a failure in between leaves a rule twice, which the next try mends, and never none.
    const order = this.#held.filter(({ changed }) => changed.size > 0)
    for (const one of order.sort((a, b) => Number(isEmpty(a)) - Number(isEmpty(b)))) {
      if (isEmpty(one) && one.isNew) continue
      const object = { ...one.object, spec: { ...one.object.spec, groups: one.groups } }
      const verb = one.isNew ? 'create' : isEmpty(one) ? 'delete' : 'update'
      yield { verb, object, names: one.changed }
    }
  }

  #put(one: Held, name: string, ruleIn: (group: string) => StoredRule, avoid: Places): boolean {
    const open = one.groups.find(
      (group) =>
        group.name.startsWith(GROUP_PREFIX) &&
        rulesOf(group).length < RULES_PER_GROUP &&
        !avoid.has(placeOf(one, group.name)),
    )
    const group = open ?? { name: this.#freeName(one, avoid), rules: [] }
    const rule = ruleIn(group.name)
    const size = Buffer.byteLength(JSON.stringify(rule)) + (open ? 1 : group.name.length + 32)
    if (one.size + size > OBJECT_LIMIT_BYTES) return false
    group.rules = [...rulesOf(group), rule]
    if (!open) one.groups.push(group)
    one.size += size
    one.changed.add(name)
    return true
  }

  #freeName(one: Held, avoid: Places): string {
    const taken = new Set(one.groups.map((group) => group.name))
    for (let index = 0; ; index++) {
      const name = GROUP_PREFIX + index
      if (!taken.has(name) && !avoid.has(placeOf(one, name))) return name
    }
  }
}

function held(object: PrometheusRuleObject, isNew: boolean): Held {
  const one = { object, groups: object.spec?.groups ?? [], isNew, size: 0, changed: new Set<string>() }
  return { ...one, size: sizeOf(one) }
}

function sizeOf({ object, groups }: Pick<Held, 'object' | 'groups'>): number {
  return Buffer.byteLength(JSON.stringify({ ...object, spec: { ...object.spec, groups } }))
}

const isEmpty = ({ groups }: Held): boolean => groups.length === 0
const rulesOf = ({ rules }: StoredGroup): StoredRule[] => rules ?? []
const called = (name: string) => (rule: StoredRule) => rule.alert === name
const placeOf = ({ object }: Held, group: string): string => `${object.metadata.name ?? ''}\n${group}`
