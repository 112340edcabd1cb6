/** Groups of rules of one level, and their alerts, joined with what the ruler has loaded of that level. */
import { apiVersionOf } from '../apimachinery/meta/types.js'
import { type CachedResource, type CachedResourceType } from '../client/cachedresource.js'
import { type Ruler, type RulerGroup, type RulerRule } from '../integrations/prometheus/rules.js'
import { planFilter } from '../listing/filters.js'
import { type AnyKind, kind, type Stores } from '../listing/kind.js'
import { pageBounds, parseListQuery } from '../listing/query.js'
import { asked } from './asked.js'
import { type GroupAlert, pageOfGroupAlerts } from './groupalerts.js'
import { alertOf, type GroupStatus, groupStatus, type RuleGroupObject } from './groupstatus.js'

export const BUILTIN = 'alerting.kubesphere.io/builtin'

export type Level = 'namespace' | 'cluster' | 'global'

export interface TypedGroup extends RuleGroupObject {
  status: GroupStatus
}

export interface Paged<T> {
  items: T[]
  totalItems: number
}

/** Keys that groups are filtered by besides those of every list. */
const OWN_FILTERS: ReadonlySet<string> = new Set(['state', 'builtin'])

export class RuleGroups {
  readonly #kind: AnyKind

  constructor(
    private readonly level: Level,
    private readonly deps: { groups: CachedResource<RuleGroupObject>; ruler: Ruler; stores: Stores },
  ) {
    const { resource, group, version, singular = resource } = deps.groups.type
    const namespaced = level === 'namespace'
    this.#kind = kind({ resource, group, versions: [version], namespaced, singular })
  }

  /** @throws StatusError 500 when the ruler cannot be asked */
  async list(
    namespace: string | undefined,
    query: URLSearchParams,
    signal: AbortSignal,
  ): Promise<Paged<TypedGroup>> {
    const { groups, stores } = this.deps
    await groups.pending()
    const loaded = byName(await this.#loaded(namespace, signal))
    const wanted = parseListQuery(query)
    const { store } = groups.informer
    const scope = { store, namespace, requested: namespace, stores }
    const common = [...wanted.filters].filter(([key]) => !OWN_FILTERS.has(key))
    const plans = common.map(([key, value]) => planFilter(this.#kind, key, value, scope))
    const [state, builtin] = [wanted.filters.get('state'), wanted.filters.get('builtin')]
    const kept: { group: TypedGroup; created: number }[] = []
    for (const cached of store.byName(namespace)) {
      if (wanted.labelSelector && !wanted.labelSelector.matches(cached.labels)) continue
      if (!plans.every((plan) => plan.matches(cached))) continue
      if (builtin !== undefined && !this.#isOf(builtin, cached.labels)) continue
      const group = this.#typed(groups.object(cached), loaded)
      if (state === undefined || hasRules(group.status, state))
        kept.push({ group, created: cached.creationTimestamp })
    }
    const order = orderBy(wanted.sortBy)
    const sign = wanted.ascending ? 1 : -1
    kept.sort((a, b) => sign * order(a, b))
    const items = kept.slice(...pageBounds(wanted, kept.length)).map(({ group }) => group)
    return { items, totalItems: kept.length }
  }

  /** @throws StatusError 404, 500 when the ruler cannot be asked */
  async get(namespace: string | undefined, name: string, signal: AbortSignal): Promise<TypedGroup> {
    const { groups } = this.deps
    await groups.pending()
    const group = groups.require(name, namespace)
    return this.#typed(group, byName(await this.#loaded(namespace, signal)))
  }

  /** @throws StatusError 500 for a selector that cannot be read, or when the ruler cannot be asked */
  async alerts(
    namespace: string | undefined,
    query: URLSearchParams,
    signal: AbortSignal,
  ): Promise<Paged<GroupAlert>> {
    const builtin = query.get('builtin')
    const { groups } = this.deps
    await groups.pending()
    const loaded = await this.#loaded(namespace, signal)
    const wanted =
      builtin === null
        ? loaded
        : loaded.filter(({ name = '' }) => this.#isOf(builtin, groups.get(name, namespace)?.metadata.labels))
    const alerts = wanted.flatMap(({ rules }) => (rules ?? []).flatMap(({ alerts }) => alerts ?? []))
    return pageOfGroupAlerts(alerts.map(alertOf), query)
  }

  /** Only global groups are built in; elsewhere the parameter says nothing. */
  #isOf(builtin: string, labels: Readonly<Record<string, string>> | undefined): boolean {
    return this.level !== 'global' || (labels?.[BUILTIN] === 'true') === (builtin === 'true')
  }

  #typed(group: Readonly<RuleGroupObject>, loaded: ReadonlyMap<string, RulerGroup[]>): TypedGroup {
    const { type } = this.deps.groups
    const ours = loaded.get(group.metadata.name ?? '') ?? []
    return {
      kind: type.kind,
      apiVersion: apiVersionOf(type),
      ...group,
      status: groupStatus(group, ours, this.level === 'global'),
    }
  }

  /** Rulers that do not know selectors answer everything, so what is of others is left out here, too. */
  async #loaded(namespace: string | undefined, signal: AbortSignal): Promise<RulerGroup[]> {
    const labels: Record<string, string> = {
      ...(namespace !== undefined && { namespace }),
      rule_level: this.level,
    }
    const match = `{${Object.entries(labels)
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
      .join(',')}}`
    const isOurs = (rule: RulerRule): boolean =>
      Object.entries(labels).every(([name, value]) => rule.labels?.[name] === value)
    const groups = await asked(this.deps.ruler.alertingRules({ match, signal }))
    return groups
      .map((group) => ({ ...group, rules: (group.rules ?? []).filter(isOurs) }))
      .filter(({ rules }) => rules.length > 0)
  }
}

function byName(groups: readonly RulerGroup[]): Map<string, RulerGroup[]> {
  const named = new Map<string, RulerGroup[]>()
  for (const group of groups) named.set(group.name ?? '', [...(named.get(group.name ?? '') ?? []), group])
  return named
}

function hasRules({ rulesStats }: GroupStatus, state: string): boolean {
  return Object.hasOwn(rulesStats, state) && rulesStats[state as keyof typeof rulesStats] > 0
}

interface Sortable {
  group: TypedGroup
  created: number
}

/** The misspelled key is what clients send. */
function orderBy(key: string): (a: Sortable, b: Sortable) => number {
  const name = ({ group }: Sortable): string => group.metadata.name ?? ''
  const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
  switch (key) {
    case 'name':
      return (a, b) => byText(name(a), name(b))
    case 'evaluationTime':
      return (a, b) => (a.group.status.evaluationTime ?? 0) - (b.group.status.evaluationTime ?? 0)
    case 'lastEvalution':
      return (a, b) => byText(a.group.status.lastEvaluation ?? '', b.group.status.lastEvaluation ?? '')
    default:
      return (a, b) => a.created - b.created || byText(name(a), name(b))
  }
}

const type = (resource: string, kindName: string): CachedResourceType => ({
  group: 'alerting.kubesphere.io',
  version: 'v2beta1',
  resource,
  kind: kindName,
  singular: kindName.toLowerCase(),
})
export const RULE_GROUPS = type('rulegroups', 'RuleGroup')
export const CLUSTER_RULE_GROUPS = type('clusterrulegroups', 'ClusterRuleGroup')
export const GLOBAL_RULE_GROUPS = type('globalrulegroups', 'GlobalRuleGroup')
