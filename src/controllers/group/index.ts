/** The group controller (iam-tenant.md §7.5). */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type CachedObject } from '../../client/cache/interface.js'
import { type CachedResource } from '../../client/cachedresource.js'
import {
  type Controller,
  controllerOwner,
  fromChanges,
  fromInformer,
  type Request,
  storedIn,
} from '../../controller/index.js'
import { Mentions } from '../../tenancy/mentions.js'
import { GROUP_PARENT, GROUP_REF, WORKSPACE } from '../../tenancy/names.js'
import { type TenancyControllerDeps } from '../deps.js'
import { federated, FEDERATED_GROUP } from '../federation/index.js'
import { whenSynced } from '../synced.js'
import { tellerOf } from '../telling.js'
import { GroupReconciler } from './group.reconciler.js'

const NAME = 'group'

export function groupController(deps: TenancyControllerDeps): Controller {
  const { resources, events } = deps
  const { groups, workspaceTemplates, groupBindings } = resources
  const bindings = [
    resources.workspaceRoleBindings,
    resources.clusterRoleBindings,
    resources.roleBindings,
  ] as const
  const members = new Mentions(groupBindings, ({ groupRef }) => (groupRef?.name ? [groupRef.name] : []))
  const reconciler = new GroupReconciler({
    groups: storedIn(groups),
    template: (workspace) => workspaceTemplates.get(workspace),
    ownerFor: {
      group: (parent) => controllerOwner(groups.type, parent),
      template: (template) => controllerOwner(workspaceTemplates.type, template),
    },
    async removeBelongings(group, signal) {
      for (const binding of members.of(group)) await storedIn(groupBindings).delete(binding, signal)
      await removeLabelled(groupBindings, group, signal)
      for (const resource of bindings) await removeLabelled(resource, group, signal)
    },
    tell: tellerOf(events, NAME, groups, 'Group synced successfully'),
  })
  const needed = [groups, workspaceTemplates, groupBindings, ...bindings].map(({ informer }) => informer)
  const { store } = groups.informer
  return federated(deps, groups, FEDERATED_GROUP, {
    name: NAME,
    reconciler,
    workers: 1,
    sources: [
      whenSynced(needed, fromInformer(groups.informer)),
      whenSynced(
        needed,
        fromChanges(groups.informer, ({ type, object }) =>
          type === 'added' ? requestsFor(store.byLabel(GROUP_PARENT, object.name)) : [],
        ),
      ),
      whenSynced(
        needed,
        fromChanges(workspaceTemplates.informer, ({ type, object }) =>
          type === 'added' ? requestsFor(store.byLabel(WORKSPACE, object.name)) : [],
        ),
      ),
    ],
  })
}

async function removeLabelled<T extends KubeObject>(
  resource: CachedResource<T>,
  group: string,
  signal: AbortSignal,
): Promise<void> {
  const stored = storedIn(resource)
  for (const object of [...stored.labelled(GROUP_REF, group)])
    if (!object.metadata.deletionTimestamp) await stored.delete(object, signal)
}

function requestsFor(objects: Iterable<CachedObject>): Request[] {
  return [...objects].map(({ namespace, name }) => ({ namespace, name }))
}
