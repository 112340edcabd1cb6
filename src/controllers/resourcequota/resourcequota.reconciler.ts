/**
 * Keeps the status of a workspace's quota true to what is in its namespaces.
 *
 * Admission raises what is used before an object is stored, so a count may miss objects on their way. What is used is
 * therefore lowered only after nobody has written the quota for a while, and raised at once.
 */
import { equal } from '../../apimachinery/json/value.js'
import { type OwnerReference } from '../../apimachinery/meta/types.js'
import { InvalidQuantity } from '../../apimachinery/quantity/index.js'
import {
  type Reconciler,
  type Request,
  type Result,
  type Stored,
  TerminalError,
} from '../../controller/index.js'
import { WORKSPACE } from '../../tenancy/names.js'
import {
  amountsFrom,
  type GroupResource,
  type ObjectsIn,
  quotaStatus,
  resourcesOf,
} from '../../tenancy/quota/index.js'
import { type WorkspaceObject, type WorkspaceQuotaObject } from '../../tenancy/types.js'
import { type Tell } from '../telling.js'

type Quota = Readonly<WorkspaceQuotaObject>
type Status = NonNullable<WorkspaceQuotaObject['status']>

export interface ResourceQuotaReconcilerDeps {
  quotas: Pick<Stored<WorkspaceQuotaObject>, 'get' | 'commit'>
  workspaces: Pick<Stored<WorkspaceObject>, 'get'>
  ownerFor: (workspace: Readonly<WorkspaceObject>) => OwnerReference
  /** Names of the namespaces that a selector is about; all of them when it is empty. */
  namespacesOf(selector: Readonly<Record<string, string>>): Iterable<string>
  /** Settles when `objectsIn` answers for these. */
  ready(types: Iterable<GroupResource>, signal: AbortSignal): Promise<void>
  objectsIn: ObjectsIn
  /** Fails with a conflict when the quota has changed since. */
  writeStatus(quota: Quota, status: Status, signal: AbortSignal): Promise<void>
  now(): number
  tell: Tell
}

/** Times pass, and pods with them. */
const RESYNC_MS = 300_000
/** A quota is counted no more often than this, whatever goes on in its namespaces. */
const PACE_MS = 500
/** How long an admitted object may be on its way. */
const SETTLE_MS = 1_000
/** However much is going on, what was given back is given back after this. */
const PATIENCE_MS = 5_000

interface Count {
  at: number
  generation: number
  /** Since when there is something to lower, and the version of the quota that was last seen then. */
  lower?: { since: number; version: string; versionSince: number }
}

export class ResourceQuotaReconciler implements Reconciler {
  readonly #counts = new Map<string, Count>()

  constructor(private readonly deps: ResourceQuotaReconcilerDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<Result> {
    const { quotas, tell } = this.deps
    const quota = quotas.get(name)
    if (quota === undefined || quota.metadata.deletionTimestamp !== undefined) {
      this.#counts.delete(name)
      return
    }
    if (await quotas.commit(quota, this.#owned(quota), signal)) return tell(quota)

    const now = this.deps.now()
    const { generation = 0, resourceVersion: version = '' } = quota.metadata
    const last = this.#counts.get(name)
    const isPaced = last?.generation === generation && quota.status !== undefined
    if (isPaced && now < last.at + PACE_MS) return { requeueAfter: last.at + PACE_MS - now }

    const status = await this.#count(quota, signal)
    if (equal(status, quota.status)) {
      this.#counts.set(name, { at: now, generation })
      return { requeueAfter: RESYNC_MS }
    }
    if (isLower(status, quota.status)) {
      const lower = last?.lower?.version === version ? last.lower : { since: now, version, versionSince: now }
      const since = last?.lower?.since ?? now
      const dueMs = Math.min(lower.versionSince + SETTLE_MS, since + PATIENCE_MS) - now
      this.#counts.set(name, { at: now, generation, lower: { ...lower, since } })
      if (dueMs > 0) return { requeueAfter: dueMs }
    }
    await this.deps.writeStatus(quota, status, signal)
    this.#counts.set(name, { at: now, generation })
    tell(quota)
    return { requeueAfter: RESYNC_MS }
  }

  #owned(quota: Quota): WorkspaceQuotaObject {
    const name = quota.metadata.labels?.[WORKSPACE] ?? ''
    const workspace = name === '' ? undefined : this.deps.workspaces.get(name)
    if (workspace === undefined || workspace.metadata.deletionTimestamp !== undefined) return quota
    return { ...quota, metadata: { ...quota.metadata, ownerReferences: [this.deps.ownerFor(workspace)] } }
  }

  async #count(quota: Quota, signal: AbortSignal): Promise<Status> {
    const { deps } = this
    try {
      await deps.ready(resourcesOf(Object.keys(quota.spec?.quota?.hard ?? {})), signal)
      return quotaStatus(
        quota,
        [...deps.namespacesOf(quota.spec?.selector ?? {})].sort(),
        deps.objectsIn,
        deps.now(),
      )
    } catch (error) {
      if (error instanceof InvalidQuantity)
        throw new TerminalError(`the quota cannot be counted: ${error.message}`, { cause: error })
      throw error
    }
  }
}

/** Whether less is used of anything. */
function isLower(status: Status, before: Status | undefined): boolean {
  const [now, then] = [amountsFrom(status.total?.used), amountsFrom(before?.total?.used)]
  return [...now].some(([name, amount]) => (then.get(name)?.compare(amount) ?? 0) > 0)
}
