/**
 * resources.kubesphere.io/v1alpha2, tools of users: their kubeconfig and the pod of their web terminal.
 *
 * A kubeconfig lets its holder act as the user, so it is for the user, and for whoever may do all of that anyway.
 */
import { isNotFound, notFound, StatusError } from '../../../apimachinery/errors/index.js'
import { type KubeObject, type UserInfo } from '../../../apimachinery/meta/types.js'
import { AUTHENTICATED_GROUP } from '../../../authentication/authenticator.js'
import { Reply, route, type Route } from '../../../serving/route.js'
import {
  KUBECONFIG_KEY,
  type KubeconfigMap,
  kubeconfigName,
  type KubeconfigSecret,
  wholeKubeconfig,
} from '../../../tenancy/kubeconfigs.js'
import { CONTROLS_NAMESPACE } from '../../../tenancy/names.js'
import { type ResourcesV2Deps } from './deps.js'

const TEXT = 'text/plain; charset=utf-8'
const CONFIG_MAPS = { group: '', version: 'v1', resource: 'configmaps' }
const SECRETS = { group: '', version: 'v1', resource: 'secrets' }
const DEPLOYMENTS = { group: 'apps', version: 'v1', resource: 'deployments' }
const PODS = { group: '', version: 'v1', resource: 'pods' }

interface Deployment extends KubeObject {
  spec?: { selector?: { matchLabels?: Record<string, string> } }
}

interface Pod extends KubeObject {
  spec?: { containers?: { name: string }[] }
  status?: { conditions?: { type: string; status: string }[] }
}

export function userToolRoutes(deps: ResourcesV2Deps): Route[] {
  const maps = deps.client.resource<KubeconfigMap>(CONFIG_MAPS)
  const secrets = deps.client.resource<KubeconfigSecret>(SECRETS)
  const deployments = deps.client.resource<Deployment>(DEPLOYMENTS)
  const pods = deps.client.resource<Pod>(PODS)

  return [
    route({
      method: 'GET',
      path: '/users/{user}/kubeconfig',
      summary: 'The kubeconfig of a user.',
      access: 'authorized',
      produces: [TEXT, 'application/json'],
      async handle({ params: { user }, user: caller, signal }) {
        demandAll(deps, caller, user)
        const name = kubeconfigName(user)
        const at = { namespace: CONTROLS_NAMESPACE, signal }
        const map = await thereOrNot(() => maps.get(name, at))
        if (map === undefined) throw notFound({ group: '', resource: 'configmap' }, name)
        const secret = await thereOrNot(() => secrets.get(name, at))
        const text = wholeKubeconfig(map.data?.[KUBECONFIG_KEY] ?? '', user, secret, deps.master)
        return new Reply(200, { 'content-type': TEXT, 'cache-control': 'no-store' }, text)
      },
    }),
    route({
      method: 'GET',
      path: '/users/{user}/kubectl',
      summary: 'Where the web terminal of a user runs.',
      access: 'authorized',
      async handle({ params: { user }, signal }) {
        const at = { namespace: CONTROLS_NAMESPACE, signal }
        const deployment = await thereOrNot(() => deployments.get(`kubectl-${user}`, at))
        const labels = Object.entries(deployment?.spec?.selector?.matchLabels ?? {})
        if (labels.length === 0) throw noTerminal()
        const labelSelector = labels.map(([key, value]) => `${key}=${value}`).join(',')
        const { items } = await pods.list({ ...at, labelSelector })
        const pod = items.find((each) => isReady(each))
        if (pod === undefined) throw noTerminal()
        return {
          namespace: CONTROLS_NAMESPACE,
          pod: pod.metadata.name,
          container: pod.spec?.containers?.[0]?.name,
        }
      },
    }),
  ]
}

/** @throws StatusError 403 */
function demandAll({ resources, rights }: ResourcesV2Deps, caller: UserInfo, name: string): void {
  if (caller.name === name) return
  const groups = [...(resources.users.get(name)?.spec?.groups ?? []), AUTHENTICATED_GROUP]
  rights.demandPowerEverywhere(caller, { name, groups })
}

/** Undefined also for what cannot be the name of an object. */
async function thereOrNot<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (isNotFound(error) || error instanceof TypeError) return undefined
    throw error
  }
}

function isReady({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp !== undefined) return false
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false
}

function noTerminal(): StatusError {
  const message = `cannot find valid kubectl pod in namespace:${CONTROLS_NAMESPACE}`
  return new StatusError({ code: 404, reason: 'NotFound', message })
}
