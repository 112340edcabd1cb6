/** Workspace quotas as admission sees them: to be judged by, and to be charged. */
import { InvalidQuantity } from '../apimachinery/quantity/index.js'
import {
  add,
  type Amounts,
  amountsFrom,
  type Quota,
  quotaOfWorkspace,
  written,
} from '../tenancy/quota/index.js'
import { type WorkspaceQuotaObject } from '../tenancy/types.js'

export interface ChargeableQuota extends Quota {
  source: Readonly<WorkspaceQuotaObject>
}

/** None of one that is gone, or that cannot be read: its controller says so on the quota. */
export function chargeable(quota: Readonly<WorkspaceQuotaObject> | undefined): ChargeableQuota[] {
  if (quota === undefined || quota.metadata.deletionTimestamp !== undefined) return []
  try {
    return [{ ...quotaOfWorkspace(quota), source: quota }]
  } catch (error) {
    if (error instanceof InvalidQuantity) return []
    throw error
  }
}

/** A merge patch of the status, which fails when the quota has changed meanwhile. */
export function charged(
  { source, hard, used = new Map() }: ChargeableQuota,
  namespace: string,
  delta: Amounts,
): object {
  const { uid, resourceVersion } = source.metadata
  const slices = source.status?.namespaces ?? []
  const own = slices.find((slice) => slice.namespace === namespace) ?? { namespace, hard: written(hard) }
  const raised = { ...own, used: written(add(amountsFrom(own.used), delta)) }
  const namespaces = [...slices.filter((slice) => slice !== own), raised].sort((a, b) =>
    a.namespace < b.namespace ? -1 : 1,
  )
  return {
    metadata: { uid, resourceVersion },
    status: { total: { used: written(add(used, delta)) }, namespaces },
  }
}
