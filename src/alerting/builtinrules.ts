/** Rules that come with the cluster, and how they are doing. They are of nobody, and can only be read. */
import { badRequest } from '../apimachinery/errors/index.js'
import { type CachedResource } from '../client/cachedresource.js'
import { type Ruler } from '../integrations/prometheus/rules.js'
import { asked } from './asked.js'
import { describeLoaded, describeStored, LoadedRules } from './loaded.js'
import { placedRules } from './placed.js'
import { type Rulers } from './rulers.js'
import { type AlertingRule, type PrometheusRuleObject } from './types.js'

export class BuiltinRules {
  constructor(
    private readonly deps: {
      rules: CachedResource<PrometheusRuleObject>
      rulers: Rulers
      /** Undefined: no Prometheus is configured. */
      ruler: Ruler | undefined
    },
  ) {}

  /**
   * Of the objects that Prometheus selects; of Prometheus itself where no object describes it.
   *
   * @throws StatusError 400 without a Prometheus, 500 when it cannot be asked
   */
  async list(signal: AbortSignal): Promise<AlertingRule[]> {
    const { rules, rulers, ruler } = this.deps
    if (!ruler)
      throw badRequest('built-in alerting rules need a Prometheus (alerting.prometheusEndpoint is not set)')
    const by = await rulers.prometheus()
    const loaded = new LoadedRules(await asked(ruler.alertingRules({ signal })), by?.externalLabels ?? {})
    if (!by) return [...loaded.all()].map(({ id, rule }) => describeLoaded(id, rule))
    await rules.pending()
    const described: AlertingRule[] = []
    for (const object of rules.list())
      if (by.selects(object))
        for (const placed of placedRules(object)) described.push(describeStored(placed, loaded))
    return described
  }
}
