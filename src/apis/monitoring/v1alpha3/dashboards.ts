/** Routes that import dashboards of Grafana. Dashboards themselves are objects of the Kubernetes API. */
import { Type } from '../../../apimachinery/schema/type.js'
import { route, type Route } from '../../../serving/route.js'
import { type MonitoringDeps } from './deps.js'

const TemplateBody = Type.Object({
  grafanaDashboardUrl: Type.Optional(Type.String()),
  grafanaDashboardContent: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  /** Clients send it; the path decides. */
  namespace: Type.Optional(Type.String()),
})

export function dashboardRoutes({ dashboards }: MonitoringDeps): Route[] {
  const importing = (path: string, summary: string): Route =>
    route({
      method: 'POST',
      path,
      summary,
      access: 'authorized',
      body: TemplateBody,
      handle: ({ params, body, signal }) => {
        const { grafanaDashboardName = '', namespace } = params as Record<string, string | undefined>
        return dashboards.import({ name: grafanaDashboardName, namespace }, body, signal)
      },
    })
  return [
    importing(
      '/clusterdashboards/{grafanaDashboardName}/template',
      'Make a dashboard of the cluster of one that Grafana has exported.',
    ),
    importing(
      '/namespaces/{namespace}/dashboards/{grafanaDashboardName}/template',
      'Make a dashboard of a project of one that Grafana has exported.',
    ),
  ]
}
