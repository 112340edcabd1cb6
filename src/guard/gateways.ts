/**
 * Gateways: an operator with rights in every namespace installs a chart with what such an object says as its values. They
 * could make it an entrance to other projects, or give it a node. Members of projects have the routes of gateways.
 */
import { type Policy } from '../serving/guard/policy.js'
import { demandAdministrator, type GuardDeps } from './deps.js'

const GROUP = 'gateway.kubesphere.io'

export function gatewayPolicies(deps: GuardDeps): Policy[] {
  return ['gateways', 'nginxes'].map((resource) => ({
    group: GROUP,
    resource,
    judge: ({ caller, name, before, after }) => {
      // What somebody has been given may be taken down again.
      if (before !== undefined && after === undefined) return
      const why = 'this is installed with rights in every namespace'
      demandAdministrator(deps, caller, { level: 'cluster' }, { group: GROUP, resource }, name, why)
    },
  }))
}
