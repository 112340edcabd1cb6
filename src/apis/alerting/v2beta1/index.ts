/**
 * Assembles alerting.kubesphere.io/v2beta1: groups of rules, for reading. They are written as the custom resources they
 * are, at the Kubernetes API.
 */
import { type RuleGroups } from '../../../alerting/rulegroups.js'
import { unavailable } from '../../../apimachinery/errors/index.js'
import { type ApiGroup, route, type Route, type RouteContext } from '../../../serving/route.js'

/** Undefined: no ruler is configured. */
export type RuleGroupsDeps = Readonly<Record<'namespaced' | 'cluster' | 'global', RuleGroups>> | undefined

type Context = Pick<RouteContext, 'params' | 'query' | 'signal'>

export function ruleGroupsGroup(deps: RuleGroupsDeps): ApiGroup {
  return {
    root: '/kapis/alerting.kubesphere.io/v2beta1',
    title: 'Groups of alerting rules',
    errors: 'text',
    routes: [
      ...routesOf('/namespaces/{namespace}/rulegroups', '/namespaces/{namespace}/alerts', deps?.namespaced),
      ...routesOf('/clusterrulegroups', '/clusteralerts', deps?.cluster),
      ...routesOf('/globalrulegroups', '/globalalerts', deps?.global),
    ],
  }
}

function routesOf(groupsPath: string, alertsPath: string, groups: RuleGroups | undefined): Route[] {
  const get = (
    path: string,
    summary: string,
    handle: (groups: RuleGroups, context: Context) => Promise<unknown>,
  ): Route =>
    route({
      method: 'GET',
      path,
      summary,
      access: 'authorized',
      handle(context: Context) {
        if (!groups) throw unavailable('no ruler is configured (alerting.thanosRulerEndpoint)')
        return handle(groups, context)
      },
    })
  return [
    get(groupsPath, 'List groups of rules and how they are doing.', (from, { params, query, signal }) =>
      from.list(params['namespace'], query, signal),
    ),
    get(`${groupsPath}/{name}`, 'Get one group of rules.', (from, { params, signal }) =>
      from.get(params['namespace'], params['name'] ?? '', signal),
    ),
    get(alertsPath, 'List the alerts of groups.', (from, { params, query, signal }) =>
      from.alerts(params['namespace'], query, signal),
    ),
  ]
}
