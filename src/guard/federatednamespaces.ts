/**
 * Federated namespaces: a project in several clusters. What its template says becomes the namespace there, so that it
 * says of workspace and creator what the namespace here says; and it comes to no cluster that its workspace is not on.
 *
 * The object is in the namespace that it is about, where roles of the project count. Whoever may create namespaces at
 * cluster level may say anything.
 */
import { badRequest, forbidden } from '../apimachinery/errors/index.js'
import { equal, isObject } from '../apimachinery/json/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type GuardedWrite, type Policy } from '../serving/guard/policy.js'
import { CREATOR, DEVOPS_PROJECT, NAMESPACE, NAMESPACE_FINALIZER, WORKSPACE } from '../tenancy/names.js'
import { type GuardDeps } from './deps.js'

type Map = Readonly<Record<string, unknown>>

const RESOURCE = { group: 'types.kubefed.io', resource: 'federatednamespaces' }
const LABELS = [WORKSPACE, DEVOPS_PROJECT, NAMESPACE]

export function federatedNamespacePolicy({ rights, resources }: GuardDeps): Policy {
  async function judge(write: GuardedWrite): Promise<void> {
    const { caller, namespace, name, before, after } = write
    if (after === undefined) return
    const anywhere = { verb: 'create', apiGroup: '', resource: 'namespaces' }
    if (await rights.can(caller, anywhere, { level: 'cluster' })) return

    const refuse = (why: string): never => {
      throw forbidden(
        RESOURCE,
        name,
        `User "${caller.name}" cannot create namespaces at the cluster scope, and ${why}`,
      )
    }
    const here = resources.namespaces.get(namespace)?.metadata
    const [own, old] = [partsOf(after), partsOf(before)]
    for (const key of LABELS)
      for (const of of ['labels', 'templateLabels'] as const)
        if (isNew(own[of][key], old[of][key], here?.labels?.[key]))
          refuse(`the label ${key} says what the namespace "${namespace}" is`)
    for (const of of ['annotations', 'templateAnnotations'] as const)
      if (isNew(own[of][CREATOR], old[of][CREATOR], here?.annotations?.[CREATOR]))
        refuse(`the annotation ${CREATOR} says who made it`)
    if (own.finalizers !== undefined && !equal(own.finalizers, old.finalizers))
      refuse(`finalizers such as ${NAMESPACE_FINALIZER} are the platform's`)
    if (!equal(own.overrides, old.overrides)) refuse('overrides may say anything in any cluster')
    for (const cluster of own.clusters ?? [])
      if (!old.clusters?.includes(cluster) && !placed(here?.labels?.[WORKSPACE], cluster))
        refuse(`its workspace is not on the cluster "${cluster}"`)
    // A selector counts when no clusters are named.
    const selects = own.clusters === undefined && own.selector !== undefined
    if (selects && !(old.clusters === undefined && equal(own.selector, old.selector)))
      refuse('a selector reaches clusters that its workspace may not be on')
  }

  function placed(workspace: string | undefined, cluster: string): boolean {
    const { clusters = [], clusterSelector } =
      resources.workspaceTemplates.get(workspace ?? '')?.spec?.placement ?? {}
    if (clusters?.some(({ name }) => name === cluster)) return true
    return !clusters?.length && isObject(clusterSelector) && Object.keys(clusterSelector).length === 0
  }

  return { ...RESOURCE, judge }
}

/** Said now, and neither before nor by the namespace itself; what is not said follows the namespace. */
function isNew(said: unknown, before: unknown, namespace: string | undefined): boolean {
  return said !== undefined && said !== before && said !== namespace
}

interface Parts {
  labels: Map
  annotations: Map
  templateLabels: Map
  templateAnnotations: Map
  finalizers: unknown
  overrides: unknown
  /** Undefined: none are named. */
  clusters: string[] | undefined
  selector: unknown
}

/** @throws StatusError 400 for a placement that cannot be read */
function partsOf(federated: KubeObject | undefined): Parts {
  const spec = mapIn(federated, 'spec')
  const metadata = mapIn(mapIn(spec, 'template'), 'metadata')
  const placement = mapIn(spec, 'placement')
  const overrides = spec['overrides']
  return {
    labels: mapIn(federated?.metadata, 'labels'),
    annotations: mapIn(federated?.metadata, 'annotations'),
    templateLabels: mapIn(metadata, 'labels'),
    templateAnnotations: mapIn(metadata, 'annotations'),
    finalizers: metadata['finalizers'] ?? undefined,
    overrides: Array.isArray(overrides) && overrides.length > 0 ? overrides : undefined,
    clusters: clustersOf(placement['clusters'] ?? undefined),
    selector: placement['clusterSelector'] ?? undefined,
  }
}

function clustersOf(clusters: unknown): string[] | undefined {
  if (clusters === undefined) return undefined
  if (!Array.isArray(clusters)) throw badRequest('spec.placement.clusters: a list of objects is wanted')
  return clusters.map((cluster: unknown) => {
    const name = isObject(cluster) ? cluster['name'] : undefined
    if (typeof name === 'string') return name
    throw badRequest('spec.placement.clusters: each needs a name')
  })
}

function mapIn(value: unknown, key: string): Map {
  const found = isObject(value) ? value[key] : undefined
  return isObject(found) ? found : {}
}
