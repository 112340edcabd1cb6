/** Rules that people of a namespace, or of the whole cluster, have made, and how they are doing. */
import { notFound, StatusError } from '../apimachinery/errors/index.js'
import { type CachedResource } from '../client/cachedresource.js'
import { type Ruler } from '../integrations/prometheus/rules.js'
import { NAMESPACES, type TenancyResources } from '../tenancy/resources.js'
import { asked } from './asked.js'
import { describeStored, LoadedRules } from './loaded.js'
import { MONITORING_NAMESPACE, RULE_LEVEL } from './names.js'
import { placedRules } from './placed.js'
import { type LoadedBy, rulerDisabled, type Rulers } from './rulers.js'
import { type AlertingRule, type PlacedRule, type PrometheusRuleObject } from './types.js'

/** Undefined: the cluster. */
export type Scope = string | undefined

export const namespaceOf = (scope: Scope): string => scope ?? MONITORING_NAMESPACE
export const levelOf = (scope: Scope): string => (scope === undefined ? 'cluster' : 'namespace')

export function ruleNotFound(): StatusError {
  return new StatusError({ code: 404, reason: 'NotFound', message: 'The alerting rule was not found' })
}

export class CustomRules {
  constructor(
    private readonly deps: {
      rules: CachedResource<PrometheusRuleObject>
      namespaces: Pick<TenancyResources['namespaces'], 'get' | 'pending'>
      rulers: Rulers
      /** Undefined: none is configured. */
      ruler: Ruler | undefined
    },
  ) {}

  /** @throws StatusError 400 without a ruler, 404 without the namespace, 500 when the ruler cannot be asked */
  async list(scope: Scope, signal: AbortSignal): Promise<AlertingRule[]> {
    const { ruler } = this.deps
    const by = await this.loadedBy(scope)
    if (!ruler) throw rulerDisabled()
    const placed = await this.#placed(scope, by)
    const loaded = new LoadedRules(await asked(ruler.alertingRules({ signal })), by.externalLabels)
    return placed.map((one) => describeStored(one, loaded))
  }

  /** @throws StatusError as `list`, and 404 for an unknown name */
  async get(scope: Scope, name: string, signal: AbortSignal): Promise<AlertingRule> {
    const { ruler } = this.deps
    const by = await this.loadedBy(scope)
    if (!ruler) throw rulerDisabled()
    // Two of one name can only come from somebody else's hand.
    const [first] = (await this.#placed(scope, by))
      .filter(({ rule }) => rule.alert === name)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
    if (!first) throw ruleNotFound()
    const loaded = new LoadedRules(await asked(ruler.alertingRules({ signal })), by.externalLabels)
    return describeStored(first, loaded)
  }

  /** @throws StatusError 404 without the namespace, 400 without a ruler */
  async loadedBy(scope: Scope): Promise<LoadedBy> {
    const { namespaces, rulers } = this.deps
    await namespaces.pending()
    if (scope !== undefined && !namespaces.get(scope)) throw notFound(NAMESPACES, scope)
    return rulers.thanosRuler()
  }

  async #placed(scope: Scope, by: LoadedBy): Promise<PlacedRule[]> {
    const { rules } = this.deps
    await rules.pending()
    const placed: PlacedRule[] = []
    for (const object of rules.list(namespaceOf(scope)))
      if (object.metadata.labels?.[RULE_LEVEL] === levelOf(scope) && by.selects(object))
        placed.push(...placedRules(object))
    return placed
  }
}
