/**
 * On which clusters a workspace is, and who may change that.
 *
 * What counts is the difference between two placements, not how a client wrote it: any cluster that the workspace
 * comes to or leaves, and any selector that begins to count, since a selector reaches clusters that nobody has asked.
 */
import { equal, isObject } from '../apimachinery/json/value.js'
import { forbidden, notFound } from '../apimachinery/errors/index.js'
import { type UserInfo } from '../apimachinery/meta/types.js'
import { type Rights } from '../authorization/rights.js'
import { type RoleBook } from '../authorization/rolebook.js'
import { CLUSTER_VISIBILITY, HOST_CLUSTER } from './names.js'
import { CLUSTERS, TENANT_GROUP, type TenancyResources } from './resources.js'
import { type ClusterObject, type Placement } from './types.js'

export interface PlacementDeps {
  resources: Pick<TenancyResources, 'clusters'>
  book: RoleBook
  rights: Rights
}

export interface PlacementChange {
  workspace: string
  before: Placement | undefined
  after: Placement | undefined
  /** The user may change the workspace itself; public clusters are open to those alone. */
  ownsWorkspace: boolean
}

export class PlacementRights {
  constructor(private readonly deps: PlacementDeps) {}

  /**
   * @returns whether the change needed any right
   * @throws StatusError 404 for a cluster that does not exist, 403
   */
  async demandChange(user: UserInfo, change: PlacementChange): Promise<boolean> {
    const { workspace, before, after } = change
    const [old, wanted] = [named(before), named(after)]
    const added = wanted.filter((name) => !old.includes(name))
    const removed = old.filter((name) => !wanted.includes(name))
    for (const name of added) if (!this.#cluster(name)) throw missingCluster(name)
    const changed = [...added, ...removed.filter((name) => this.#cluster(name))]
    const selects = !equal(selectors(before), selectors(after))
    if (changed.length === 0 && !selects) return false
    if (await this.#placesAnywhere(user)) return true

    const closed = changed.filter((name) => !this.#isOpen(user, name, change.ownsWorkspace))
    if (!selects && closed.length === 0) return true
    const where = selects ? 'clusters by selector' : `cluster "${closed.join('", "')}"`
    throw forbidden(
      { group: TENANT_GROUP, resource: 'workspacetemplates' },
      workspace,
      `User "${user.name}" cannot change the placement of the workspace on ${where}`,
    )
  }

  /** Who may remove clusters from the platform, or change every workspace. */
  async #placesAnywhere(user: UserInfo): Promise<boolean> {
    const { rights } = this.deps
    const clusters = { verb: 'delete', apiGroup: CLUSTERS.group, resource: 'clusters' }
    const workspaces = { verb: 'update', apiGroup: TENANT_GROUP, resource: 'workspaces' }
    return (
      (await rights.can(user, clusters, { level: 'global' })) ||
      (await rights.can(user, workspaces, { level: 'global' }))
    )
  }

  /**
   * Who administers another cluster than this one cannot be told from here, and is refused. The original asked that
   * cluster, and failed when it could not be reached.
   */
  #isOpen(user: UserInfo, name: string, ownsWorkspace: boolean): boolean {
    const labels = this.#cluster(name)?.metadata.labels ?? {}
    if (labels[CLUSTER_VISIBILITY] === 'public' && ownsWorkspace) return true
    if (labels[HOST_CLUSTER] === undefined) return false
    const held = this.deps.book.cluster.users.get(user.name) ?? []
    return held.some(({ role }) => role.kind === 'ClusterRole' && role.name === 'cluster-admin')
  }

  #cluster(name: string): Readonly<ClusterObject> | undefined {
    return this.deps.resources.clusters.get(name)
  }
}

/** An empty list and no list are both nowhere, unless there is a selector, which counts without the list. */
export function tidyPlacement(placement: Placement): Placement {
  const { clusters, ...rest } = placement
  return clusters?.length === 0 && rest.clusterSelector === undefined ? rest : placement
}

/** A patch may have left anything here, which the API then refuses. */
function named(placement: Placement | undefined): string[] {
  const clusters: unknown = placement?.clusters
  if (!Array.isArray(clusters)) return []
  return clusters.flatMap((cluster: unknown) => {
    const name = isObject(cluster) ? cluster['name'] : undefined
    return typeof name === 'string' ? [name] : []
  })
}

/** What selectors there are, and whether they count. */
function selectors(placement: Placement | undefined): unknown {
  const { clusters, clusterSelector } = placement ?? {}
  if (clusterSelector === undefined) return undefined
  return { clusterSelector, counts: !clusters }
}

function missingCluster(name: string): Error {
  return notFound({ group: CLUSTERS.group, resource: CLUSTERS.resource }, name)
}
