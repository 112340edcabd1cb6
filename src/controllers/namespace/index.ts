/** The namespace controller: projects with an owner, roles and an administrator (iam-tenant.md §7.8). */
import { isNotFound } from '../../apimachinery/errors/index.js'
import {
  type Controller,
  controllerOwner,
  fromChanges,
  fromInformer,
  storedIn,
} from '../../controller/index.js'
import { DEVOPS_PROJECT, WORKSPACE } from '../../tenancy/names.js'
import { type TenancyControllerDeps } from '../deps.js'
import { rolesOfBases } from '../rolebases.js'
import { whenSynced } from '../synced.js'
import { tellerOf, tellingFailures } from '../telling.js'
import { NamespaceReconciler } from './namespace.reconciler.js'
import { routerRemoval } from './router.js'

const NAME = 'namespace'
const OF_DEVOPS = 'scope.kubesphere.io/devops'
const OF_PROJECTS = 'scope.kubesphere.io/namespace'

export function namespaceController({
  resources,
  events,
  client,
  options,
}: TenancyControllerDeps): Controller {
  const { namespaces, workspaces, users, roles, roleBases, roleBindings } = resources
  const ofDevOps = rolesOfBases(roleBases, 'Role', OF_DEVOPS)
  const ofProjects = rolesOfBases(roleBases, 'Role', OF_PROJECTS)
  const reconciler = new NamespaceReconciler({
    namespaces: storedIn(namespaces),
    workspaces: storedIn(workspaces),
    users: storedIn(users),
    roles: storedIn(roles),
    bindings: storedIn(roleBindings),
    ownerFor: (workspace) => controllerOwner(workspaces.type, workspace),
    rolesFor: (devops) => (devops ? ofDevOps() : ofProjects()),
    async hasRole(name, namespace, signal) {
      try {
        await roles.client.get(name, { namespace, signal })
        return true
      } catch (error) {
        if (isNotFound(error)) return false
        throw error
      }
    },
    removeRouter: routerRemoval(client, options.gateway.namespace),
    tell: tellerOf(events, NAME, namespaces),
  })
  const read = [namespaces, workspaces, users, roles, roleBases].map(({ informer }) => informer)
  return {
    name: NAME,
    workers: 4,
    reconciler: tellingFailures(events, NAME, namespaces, reconciler),
    sources: [
      whenSynced(read, fromInformer(namespaces.informer)),
      whenSynced(
        read,
        fromChanges(roleBases.informer, function* () {
          for (const label of [WORKSPACE, DEVOPS_PROJECT])
            for (const { name } of namespaces.informer.store.byLabel(label)) yield { namespace: '', name }
        }),
      ),
    ],
  }
}
