/** Member clusters: the kubeconfig of one is a credential of its administrator. It can be written and not be read. */
import { isObject } from '../apimachinery/json/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type Policy } from '../serving/guard/policy.js'
import { CLUSTERS } from '../tenancy/resources.js'

const SECRETS = ['kubeconfig', 'token'] as const

export const clusterPolicy: Policy = {
  group: CLUSTERS.group,
  resource: CLUSTERS.resource,
  indifferentTo: ['create', 'delete'],
  judge({ before, after }) {
    const [stored, given] = [connectionOf(before), connectionOf(after)]
    if (after === undefined || stored === undefined || given === undefined) return undefined
    // Who reads, changes something else and writes back has not seen these, and does not mean to take them away.
    const kept = Object.fromEntries(
      SECRETS.filter((key) => stored[key] !== undefined && given[key] === undefined).map((key) => [
        key,
        stored[key],
      ]),
    )
    if (Object.keys(kept).length === 0) return undefined
    const spec = after['spec'] as object
    return { ...after, spec: { ...spec, connection: { ...given, ...kept } } }
  },
  conceal(cluster) {
    const connection = connectionOf(cluster)
    for (const key of SECRETS) delete connection?.[key]
  },
}

function connectionOf(cluster: KubeObject | undefined): Record<string, unknown> | undefined {
  const spec = cluster?.['spec']
  const connection = isObject(spec) ? spec['connection'] : undefined
  return isObject(connection) ? connection : undefined
}
