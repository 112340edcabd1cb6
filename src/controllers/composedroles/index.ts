/** What the controllers of roles at all levels share: composed roles follow their parts. */
import { type RoleKind } from '../../authorization/objects.js'
import { type CachedResource } from '../../client/cachedresource.js'
import { type Controller } from '../../controller/index.js'
import { type RoleObject } from '../../tenancy/types.js'
import { type TenancyControllerDeps } from '../deps.js'
import { whenSynced } from '../synced.js'
import { tellerOf } from '../telling.js'
import { ComposedRolesReconciler } from './composedroles.reconciler.js'

export function composedRolesController(
  name: string,
  kind: RoleKind,
  resource: CachedResource<RoleObject>,
  { events }: TenancyControllerDeps,
): Controller {
  const reconciler = new ComposedRolesReconciler(kind, resource, tellerOf(events, name, resource))
  return { name, reconciler, sources: [whenSynced([resource.informer], reconciler.source)] }
}
