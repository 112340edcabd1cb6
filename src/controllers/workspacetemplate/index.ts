/** The workspace template controller: from templates to workspaces, and back (iam-tenant.md §7.10). */
import { CachedResource } from '../../client/cachedresource.js'
import {
  type Controller,
  controllerOwner,
  fromChanges,
  fromInformer,
  type Source,
  storedIn,
} from '../../controller/index.js'
import { type WorkspaceTemplateObject } from '../../tenancy/types.js'
import { type TenancyControllerDeps } from '../deps.js'
import { rolesOfBases } from '../rolebases.js'
import { whenSynced } from '../synced.js'
import { tellerOf, tellingFailures } from '../telling.js'
import { applicationRemoval } from './applications.js'
import { direct, federated, type FederatedWorkspaceObject } from './makers.js'
import { WorkspaceTemplateReconciler } from './workspacetemplate.reconciler.js'

const NAME = 'workspacetemplate'
const FEDERATED_WORKSPACES = {
  group: 'types.kubefed.io',
  version: 'v1beta1',
  resource: 'federatedworkspaces',
  kind: 'FederatedWorkspace',
}

export function workspaceTemplateController(deps: TenancyControllerDeps): Controller {
  const { resources, events, client, informers, options } = deps
  const { workspaceTemplates, workspaces, namespaces, users, roleBases } = resources
  const { workspaceRoles, workspaceRoleBindings } = resources
  const straight = direct(storedIn(workspaces))
  const twins = options.multicluster.enable
    ? new CachedResource<FederatedWorkspaceObject>(FEDERATED_WORKSPACES, informers, client)
    : undefined
  const throughFederation = twins && federated(storedIn(twins), storedIn(workspaces))
  /** Enabled, and installed. */
  const isFederated = (): boolean =>
    twins !== undefined &&
    [...informers.status()].some(
      ({ resource, state }) =>
        resource === `${FEDERATED_WORKSPACES.resource}.${FEDERATED_WORKSPACES.group}` && state === 'synced',
    )
  const reconciler = new WorkspaceTemplateReconciler({
    templates: storedIn(workspaceTemplates),
    namespaces: storedIn(namespaces),
    users: storedIn(users),
    roles: storedIn(workspaceRoles),
    bindings: storedIn(workspaceRoleBindings),
    maker: () => (throughFederation && isFederated() ? throughFederation : straight),
    isFederated,
    rolesFor: rolesOfBases(roleBases, 'WorkspaceRole'),
    ownerFor: (template) => controllerOwner(workspaceTemplates.type, template),
    removeApplications: applicationRemoval(client),
    tell: tellerOf(events, NAME, workspaceTemplates),
  })

  const read = [
    workspaceTemplates,
    workspaces,
    namespaces,
    users,
    roleBases,
    workspaceRoles,
    workspaceRoleBindings,
  ]
  const informersRead = [...read, ...(twins ? [twins] : [])].map(({ informer }) => informer)
  const all = function* () {
    for (const { name } of workspaceTemplates.informer.store.byName()) yield { namespace: '', name }
  }
  /** A workspace may name its manager before there is such a user. */
  const managedBy = function* (user: string) {
    for (const { metadata, spec } of workspaceTemplates.list() as Iterable<WorkspaceTemplateObject>)
      if (spec?.template?.spec?.manager === user) yield { namespace: '', name: metadata.name ?? '' }
  }
  const sources: Source[] = [
    fromInformer(workspaceTemplates.informer),
    // One that is made or changed by hand, or gone while its template is there.
    fromChanges(workspaces.informer, ({ object: { name } }) =>
      workspaceTemplates.get(name) ? [{ namespace: '', name }] : [],
    ),
    fromChanges(roleBases.informer, all),
    fromChanges(users.informer, ({ type, object: { name } }) => (type === 'added' ? managedBy(name) : [])),
  ]
  return {
    name: NAME,
    reconciler: tellingFailures(events, NAME, workspaceTemplates, reconciler),
    sources: sources.map((source) => whenSynced(informersRead, source)),
  }
}
