/** Makes dashboards of ours of those that Grafana has exported. Every failure is one of the request: 400. */
import { badRequest, StatusError } from '../../apimachinery/errors/index.js'
import { type KubeObject } from '../../apimachinery/meta/index.js'
import { ResourceClient, type RestClient } from '../../client/rest.js'
import { type Egress } from '../../integrations/egress.js'
import { download, DownloadError } from './download.js'
import { type Json } from './fields.js'
import { dashboardSpec } from './grafana.js'

const GROUP = 'monitoring.kubesphere.io'
const VERSION = 'v1alpha2'
const DESCRIPTION = 'kubesphere.io/description'

export interface Template {
  grafanaDashboardUrl?: string
  grafanaDashboardContent?: string
  description?: string
}

/** Without a namespace it is one of the cluster. */
export interface DashboardName {
  name: string
  namespace?: string | undefined
}

export class DashboardImporter {
  readonly #ofCluster: ResourceClient<KubeObject>
  readonly #ofNamespaces: ResourceClient<KubeObject>

  constructor(
    client: RestClient,
    private readonly egress: Egress,
  ) {
    const resource = (plural: string) =>
      new ResourceClient<KubeObject>(client, { group: GROUP, version: VERSION, resource: plural })
    this.#ofCluster = resource('clusterdashboards')
    this.#ofNamespaces = resource('dashboards')
  }

  /** @returns the dashboard as it is stored */
  async import(
    { name, namespace }: DashboardName,
    template: Template,
    signal: AbortSignal,
  ): Promise<KubeObject> {
    const spec = await this.#spec(template, signal)
    const dashboards = namespace === undefined ? this.#ofCluster : this.#ofNamespaces
    const place = { ...(namespace !== undefined && { namespace }), signal }
    if (await isThere(dashboards.get(name, place)))
      throw badRequest('a dashboard with the same name already exists.')
    const dashboard = {
      apiVersion: `${GROUP}/${VERSION}`,
      kind: namespace === undefined ? 'ClusterDashboard' : 'Dashboard',
      metadata: {
        name,
        ...(namespace !== undefined && { namespace }),
        annotations: { [DESCRIPTION]: template.description ?? '' },
      },
      spec,
    }
    return orBadRequest(dashboards.create(dashboard, { signal }))
  }

  async #spec(
    { grafanaDashboardUrl: url = '', grafanaDashboardContent: content = '' }: Template,
    signal: AbortSignal,
  ): Promise<Json> {
    if (url === '' && content === '')
      throw badRequest(
        'the requested parameter grafanaDashboardUrl and grafanaDashboardContent cannot be empty at the same time',
      )
    try {
      return dashboardSpec(url === '' ? content : await download(url, this.egress, signal))
    } catch (error) {
      signal.throwIfAborted()
      // The parser of JSON throws SyntaxError, the converter Error; nothing else is called.
      if (error instanceof DownloadError || error instanceof Error) throw badRequest(error.message)
      throw error
    }
  }
}

/** Whatever goes wrong, creating tells it better. */
async function isThere(getting: Promise<KubeObject>): Promise<boolean> {
  try {
    await getting
    return true
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    return false
  }
}

async function orBadRequest<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    throw badRequest(error.message)
  }
}
