/**
 * Writes of workspace quotas. Which workspace a quota is of, and which namespaces it counts, follows from the path
 * alone.
 */
import { type ObjectMeta } from '../../../apimachinery/meta/types.js'
import { WORKSPACE } from '../../../tenancy/names.js'
import { type TenancyResources } from '../../../tenancy/resources.js'
import { type WorkspaceQuotaObject } from '../../../tenancy/types.js'
import { type Deletion } from './deletion.js'
import { demandNew } from './errors.js'
import { type Write } from './workspacewrites.js'

type Quota = WorkspaceQuotaObject
type Options = Pick<Write, 'dryRun' | 'signal'>

export class QuotaWrites {
  constructor(private readonly resources: Pick<TenancyResources, 'quotas'>) {}

  /** @throws StatusError 404 when it is none of the workspace */
  get(workspace: string, name: string): Readonly<Quota> {
    const { quotas } = this.resources
    const quota = quotas.get(name)
    if (quota?.metadata.labels?.[WORKSPACE] !== workspace) throw quotas.missing(name)
    return quota
  }

  /** Names of quotas are shared by all workspaces. @throws StatusError 409 for one that is taken, 422 */
  async create(workspace: string, quota: Quota, options: Options): Promise<Quota> {
    demandNew(quota.metadata)
    const { ownerReferences: _, ...metadata } = quota.metadata
    return this.resources.quotas.create(placed(workspace, { ...quota, metadata }), options)
  }

  /** @throws StatusError 404 when it is none of the workspace, 409 when it has changed, 422 without a version */
  replace(workspace: string, quota: Quota, options: Options): Promise<Quota> {
    const { uid = '', ownerReferences, finalizers } = this.get(workspace, quota.metadata.name ?? '').metadata
    const kept: ObjectMeta = {
      uid,
      ...(ownerReferences && { ownerReferences }),
      ...(finalizers && { finalizers }),
    }
    const metadata = { ...quota.metadata, ...kept }
    return this.resources.quotas.update(placed(workspace, { ...quota, metadata }), options)
  }

  /** @throws StatusError 404 when it is none of the workspace */
  async delete(workspace: string, name: string, deletion: Deletion, signal: AbortSignal): Promise<void> {
    const { uid } = this.get(workspace, name).metadata
    const { dryRun, preconditions } = deletion
    await this.resources.quotas.delete(name, {
      dryRun,
      preconditions: { ...(uid !== undefined && { uid }), ...preconditions },
      signal,
    })
  }
}

function placed(workspace: string, { metadata, spec }: Quota): Quota {
  return {
    metadata: { ...metadata, labels: { ...metadata.labels, [WORKSPACE]: workspace } },
    spec: { ...spec, selector: { [WORKSPACE]: workspace } },
  }
}
