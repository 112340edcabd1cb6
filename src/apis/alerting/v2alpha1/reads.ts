/** Routes that read rules and alerts. */
import { type Scope, ruleNotFound } from '../../../alerting/customrules.js'
import { alertsOf, pageOfAlerts, pageOfRules } from '../../../alerting/rulelist.js'
import { type AlertingRule } from '../../../alerting/types.js'
import { route, type Route, type RouteContext } from '../../../serving/route.js'
import { type AlertingDeps } from './deps.js'

/** Cluster and namespace alike: which it is follows from the path. */
export const PLACES: readonly string[] = ['', '/namespaces/{namespace}']

export type Context = Pick<RouteContext, 'params' | 'query' | 'signal'>

export const scopeOf = ({ params }: Pick<Context, 'params'>): Scope => params['namespace']

export function readRoutes({ custom, builtin }: AlertingDeps): Route[] {
  const named = (context: Context): Promise<AlertingRule> =>
    custom.get(scopeOf(context), context.params['rule_name'] ?? '', context.signal)
  const byId = async ({ params, signal }: Context): Promise<AlertingRule> => {
    const found = (await builtin.list(signal)).find(({ id }) => id === params['rule_id'])
    if (!found) throw ruleNotFound()
    return found
  }
  const rulesOf = (context: Context): Promise<AlertingRule[]> => custom.list(scopeOf(context), context.signal)
  return [
    ...PLACES.flatMap((place) => [
      get(`${place}/rules`, 'List custom rules.', async (context) =>
        pageOfRules(await rulesOf(context), context.query),
      ),
      get(`${place}/alerts`, 'List the alerts of custom rules.', async (context) =>
        pageOfAlerts(await rulesOf(context), context.query),
      ),
      get(`${place}/rules/{rule_name}`, 'Get one custom rule.', named),
      get(`${place}/rules/{rule_name}/alerts`, 'List the alerts of one custom rule.', async (context) =>
        allAlerts(await named(context)),
      ),
    ]),
    get('/builtin/rules', 'List built-in rules.', async ({ query, signal }) =>
      pageOfRules(await builtin.list(signal), query),
    ),
    get('/builtin/alerts', 'List the alerts of built-in rules.', async ({ query, signal }) =>
      pageOfAlerts(await builtin.list(signal), query),
    ),
    get('/builtin/rules/{rule_id}', 'Get one built-in rule.', byId),
    get('/builtin/rules/{rule_id}/alerts', 'List the alerts of one built-in rule.', async (context) =>
      allAlerts(await byId(context)),
    ),
  ]
}

function allAlerts(rule: AlertingRule): { items: unknown[] | null; total: number } {
  const alerts = alertsOf([rule])
  return { items: alerts.length > 0 ? alerts : null, total: alerts.length }
}

function get(path: string, summary: string, handle: (context: Context) => unknown): Route {
  return route({ method: 'GET', path, summary, access: 'authorized', handle })
}
