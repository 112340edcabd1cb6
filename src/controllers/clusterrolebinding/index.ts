/** The controller of bindings to cluster roles: terminals of administrators (iam-tenant.md §7.2). */
import { isAlreadyExists, isNotFound } from '../../apimachinery/errors/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Controller, controllerOwner, fromChanges, fromInformer } from '../../controller/index.js'
import { Mentions } from '../../tenancy/mentions.js'
import { userNamesIn } from '../../tenancy/types.js'
import { type TenancyControllerDeps } from '../deps.js'
import { whenSynced } from '../synced.js'
import { tellerOf } from '../telling.js'
import { ClusterRoleBindingReconciler, isForAdministrators } from './clusterrolebinding.reconciler.js'

const NAME = 'clusterrolebinding'
const DEPLOYMENTS = { group: 'apps', version: 'v1', resource: 'deployments', kind: 'Deployment' }

export function clusterRoleBindingController(deps: TenancyControllerDeps): Controller {
  const { resources, client, options, events } = deps
  const { clusterRoleBindings, users } = resources
  const deployments = client.resource(DEPLOYMENTS)
  const byUser = new Mentions(clusterRoleBindings, (binding) =>
    isForAdministrators(binding) ? userNamesIn(binding) : [],
  )
  const reconciler = new ClusterRoleBindingReconciler({
    get: (name) => clusterRoleBindings.get(name),
    hasUser: (name) =>
      users.get(name)?.metadata.deletionTimestamp === undefined && users.get(name) !== undefined,
    async createDeployment(deployment, signal) {
      if (await isThere(deployment, signal)) return false
      try {
        await deployments.create(deployment, { signal })
        return true
      } catch (error) {
        if (isAlreadyExists(error)) return false
        throw error
      }
    },
    ownerFor: (binding) => controllerOwner(clusterRoleBindings.type, binding),
    image: options.authentication.kubectlImage,
    tell: tellerOf(events, NAME, clusterRoleBindings, 'ClusterRoleBinding synced successfully'),
  })
  const both = [clusterRoleBindings.informer, users.informer]
  return {
    name: NAME,
    reconciler,
    sources: [
      whenSynced(both, fromInformer(clusterRoleBindings.informer)),
      whenSynced(
        both,
        fromChanges(users.informer, ({ type, object }) =>
          type === 'added'
            ? byUser.of(object.name).map(({ metadata }) => ({ namespace: '', name: metadata.name ?? '' }))
            : [],
        ),
      ),
    ],
  }

  async function isThere({ metadata }: KubeObject, signal: AbortSignal): Promise<boolean> {
    const { name = '', namespace = '' } = metadata
    try {
      await deployments.get(name, { namespace, signal })
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }
}
