/**
 * Users, roles, bindings and groups in every cluster of a federation (iam-tenant.md §2.2).
 *
 * Nothing happens without `multicluster.enable`, nor before the cluster serves the kind of twin.
 */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { BCRYPT } from '../../authentication/users.js'
import { type Informer } from '../../client/cache/interface.js'
import { CachedResource } from '../../client/cachedresource.js'
import {
  type Controller,
  controllerOwner,
  fromChanges,
  fromInformer,
  type Request,
  type Source,
  storedIn,
} from '../../controller/index.js'
import {
  type BindingObject,
  type GroupBindingObject,
  type GroupObject,
  type RoleObject,
  type UserObject,
} from '../../tenancy/types.js'
import { type TenancyControllerDeps } from '../deps.js'
import { inTurn } from '../inturn.js'
import { whenSynced } from '../synced.js'
import { type TwinObject, TwinReconciler } from './twin.reconciler.js'

const GROUP = 'types.kubefed.io'
const DEFINITIONS = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
}

/** What members get of each kind. */
export interface TwinOptions<T extends KubeObject> {
  contents: (object: Readonly<T>) => Record<string, unknown> | undefined
  withAnnotations?: boolean
}

/**
 * Members need to know who a user is and whether it may log in, not how: people log in at the host, and members only
 * check tokens. The hash of a password stays at home. While a password is in plain text there is nothing to give yet.
 */
export const FEDERATED_USER: TwinOptions<UserObject> = {
  contents({ spec = {}, status }) {
    const { password = '', ...rest } = spec
    if (password !== '' && !BCRYPT.test(password)) return undefined
    return { spec: rest, ...(status && { status }) }
  },
}

const role = ({ rules }: Readonly<RoleObject>) => ({ rules: rules ?? [] })
const binding = ({ subjects, roleRef }: Readonly<BindingObject>) => ({ subjects: subjects ?? [], roleRef })

export const FEDERATED_GLOBAL_ROLE: TwinOptions<RoleObject> = { contents: role, withAnnotations: true }
export const FEDERATED_GLOBAL_ROLE_BINDING: TwinOptions<BindingObject> = {
  contents: binding,
  withAnnotations: true,
}
export const FEDERATED_WORKSPACE_ROLE: TwinOptions<RoleObject> = { contents: role }
export const FEDERATED_WORKSPACE_ROLE_BINDING: TwinOptions<BindingObject> = { contents: binding }
export const FEDERATED_GROUP: TwinOptions<GroupObject> = {
  contents: ({ spec }) => ({ spec: spec ?? {} }),
}
export const FEDERATED_GROUP_BINDING: TwinOptions<GroupBindingObject> = {
  contents: ({ groupRef, users }) => ({ groupRef: groupRef ?? {}, users: users ?? [] }),
}

/** The controller, which in a federation keeps the twins of its objects too. */
export function federated<T extends KubeObject>(
  deps: TenancyControllerDeps,
  resource: CachedResource<T>,
  { contents, withAnnotations = false }: TwinOptions<T>,
  controller: Controller,
): Controller {
  const { options, informers, client } = deps
  if (!options.multicluster.enable) return controller
  const plural = `federated${resource.type.resource}`
  const twins = new CachedResource<TwinObject>(
    { group: GROUP, version: 'v1beta1', resource: plural, kind: `Federated${resource.type.kind}` },
    informers,
    client,
  )
  const definitions = informers.informer(DEFINITIONS)
  const definition = `${plural}.${GROUP}`
  const reconciler = new TwinReconciler<T>({
    objects: storedIn(resource),
    twins: storedIn(twins),
    isServed: () => definitions.store.get('', definition) !== undefined,
    contents,
    withAnnotations,
    ownerFor: (object) => controllerOwner(resource.type, object),
  })
  const needed = [resource.informer, twins.informer, definitions]
  return inTurn(controller, {
    name: controller.name,
    reconciler,
    sources: [
      whenSynced(needed, fromInformer(resource.informer)),
      whenSynced(
        needed,
        fromChanges(twins.informer, ({ type, object: { name } }) =>
          type === 'added' ? [] : [{ namespace: '', name }],
        ),
      ),
      whenSynced(needed, allWhenDefined(definitions, definition, resource.informer)),
    ],
  })
}

/** Everything, once federation is installed. */
function allWhenDefined(definitions: Informer, definition: string, informer: Informer<never>): Source {
  return fromChanges(definitions, ({ type, object: { name } }): Request[] =>
    type !== 'deleted' && name === definition
      ? [...informer.store.byName()].map((object) => ({ namespace: '', name: object.name }))
      : [],
  )
}
