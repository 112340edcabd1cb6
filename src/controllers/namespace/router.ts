/** The router of a project: what leads traffic into it, in a namespace of the platform. */
import { isNotFound } from '../../apimachinery/errors/index.js'
import { type RestClient } from '../../client/rest.js'
import { CONTROLS_NAMESPACE } from '../../tenancy/names.js'

const GATEWAYS = { group: 'gateway.kubesphere.io', version: 'v1alpha1', resource: 'gateways' }
const SERVICES = { group: '', version: 'v1', resource: 'services' }
const DEPLOYMENTS = { group: 'apps', version: 'v1', resource: 'deployments' }

/**
 * Removes a Gateway of v3.4 and the Service and Deployment of v3.2; that there are none is fine.
 *
 * @param gatewayNamespace of the configuration; "": each in its own project
 */
export function routerRemoval(client: RestClient, gatewayNamespace: string) {
  return async (project: string, signal: AbortSignal): Promise<void> => {
    const name = `kubesphere-router-${project}`
    const places = [
      [GATEWAYS, gatewayNamespace === '' ? project : gatewayNamespace],
      [SERVICES, CONTROLS_NAMESPACE],
      [DEPLOYMENTS, CONTROLS_NAMESPACE],
    ] as const
    for (const [type, namespace] of places) {
      try {
        await client.resource(type).delete(name, { namespace, propagationPolicy: 'Background', signal })
      } catch (error) {
        if (!isNotFound(error)) throw error // Also for a kind that is not served.
      }
    }
  }
}
