/** Quotas of workspaces, counted over all their projects. There is no list: a quota is named as its workspace. */
import { apiVersionOf } from '../../../apimachinery/meta/types.js'
import { route, type Route } from '../../../serving/route.js'
import { WORKSPACE_QUOTAS } from '../../../tenancy/resources.js'
import { demandName, isDryRun } from '../../../tenancy/typedmetadata.js'
import { type WorkspaceQuotaObject } from '../../../tenancy/types.js'
import { QuotaBody, typedQuota } from './bodies.js'
import { deletionOf } from './deletion.js'
import { type Tenancy } from './deps.js'

const PATH = '/workspaces/{workspace}/resourcequotas'
const ONE = `${PATH}/{resourcequota}` as const

export function quotaRoutes({ resources, access, quotaWrites }: Tenancy): Route[] {
  return [
    route({
      method: 'POST',
      path: PATH,
      summary: 'Create a quota of the workspace.',
      access: 'authorized',
      body: QuotaBody,
      async handle({ params, query, body, signal }) {
        const options = { dryRun: isDryRun(query), signal }
        return shown(await quotaWrites.create(params.workspace, typedQuota(body), options))
      },
    }),
    route({
      method: 'GET',
      path: ONE,
      summary: 'Get one quota of the workspace.',
      access: 'authorized',
      async handle({ user, params }) {
        await resources.quotas.pending()
        await access.demandWorkspace(user, params.workspace)
        return shown(quotaWrites.get(params.workspace, params.resourcequota))
      },
    }),
    route({
      method: 'PUT',
      path: ONE,
      summary: 'Replace one quota of the workspace.',
      access: 'authorized',
      body: QuotaBody,
      async handle({ params, query, body, signal }) {
        const quota = typedQuota(body)
        demandName(quota.metadata.name, params.resourcequota)
        return shown(await quotaWrites.replace(params.workspace, quota, { dryRun: isDryRun(query), signal }))
      },
    }),
    route({
      method: 'DELETE',
      path: ONE,
      summary: 'Delete one quota of the workspace.',
      access: 'authorized',
      async handle({ params, query, body, signal }) {
        await quotaWrites.delete(params.workspace, params.resourcequota, deletionOf(body, query), signal)
        return { message: 'success' }
      },
    }),
  ]
}

/** Clients find a status before there is one. */
function shown(quota: Readonly<WorkspaceQuotaObject>): WorkspaceQuotaObject {
  const type = { kind: WORKSPACE_QUOTAS.kind, apiVersion: apiVersionOf(WORKSPACE_QUOTAS) }
  return { ...type, ...quota, status: { total: {}, namespaces: null, ...quota.status } }
}
