/**
 * Objects of a workspace belong to its template, and go with it: roles and their bindings alike.
 *
 * What federation writes is left alone, and so is what names a workspace that does not exist.
 */
import { type KubeObject, type OwnerReference } from '../apimachinery/meta/types.js'
import { type CachedObject } from '../client/cache/interface.js'
import { type CachedResource } from '../client/cachedresource.js'
import {
  type Controller,
  controllerOwner,
  fromChanges,
  fromInformer,
  type Reconciler,
  type Request,
  type Stored,
  storedIn,
  withController,
} from '../controller/index.js'
import { FEDERATED, WORKSPACE } from '../tenancy/names.js'
import { type WorkspaceTemplateObject } from '../tenancy/types.js'
import { type TenancyControllerDeps } from './deps.js'
import { whenSynced } from './synced.js'
import { type Tell, tellerOf } from './telling.js'

/** An object may have been made by an older release, for which the Workspace was the owner. */
const OWNER_KINDS = ['WorkspaceTemplate', 'Workspace']

export interface WorkspaceOwnedDeps<T extends KubeObject> {
  objects: Pick<Stored<T>, 'get' | 'commit'>
  template: (workspace: string) => Readonly<WorkspaceTemplateObject> | undefined
  ownerFor: (template: Readonly<WorkspaceTemplateObject>) => OwnerReference
  tell: Tell
}

export class WorkspaceOwnedReconciler<T extends KubeObject> implements Reconciler {
  constructor(private readonly deps: WorkspaceOwnedDeps<T>) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<void> {
    const { objects, template, ownerFor, tell } = this.deps
    const object = objects.get(name)
    if (object === undefined || object.metadata.deletionTimestamp) return
    const { [WORKSPACE]: workspace = '', [FEDERATED]: federated } = object.metadata.labels ?? {}
    const owner = federated === 'true' ? undefined : template(workspace)
    if (owner === undefined) return
    if (await objects.commit(object, withController(object, ownerFor(owner), OWNER_KINDS), signal))
      tell(object)
  }
}

export function workspaceOwnedController<T extends KubeObject>(
  name: string,
  resource: CachedResource<T>,
  { resources: { workspaceTemplates }, events }: TenancyControllerDeps,
): Controller {
  const reconciler = new WorkspaceOwnedReconciler({
    objects: storedIn(resource),
    template: (workspace) => workspaceTemplates.get(workspace),
    ownerFor: (template) => controllerOwner(workspaceTemplates.type, template),
    tell: tellerOf(events, name, resource),
  })
  const both = [resource.informer, workspaceTemplates.informer]
  return {
    name,
    reconciler,
    sources: [
      whenSynced(both, fromInformer(resource.informer)),
      whenSynced(
        both,
        fromChanges(workspaceTemplates.informer, ({ type, object }) =>
          type === 'added' ? requestsFor(resource.informer.store.byLabel(WORKSPACE, object.name)) : [],
        ),
      ),
    ],
  }
}

function requestsFor(objects: Iterable<CachedObject>): Request[] {
  return [...objects].map(({ namespace, name }) => ({ namespace, name }))
}
