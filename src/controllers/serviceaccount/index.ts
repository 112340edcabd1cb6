/** The service account controller (iam-tenant.md §7.12). */
import { type CachedObject } from '../../client/cache/interface.js'
import { CachedResource } from '../../client/cachedresource.js'
import {
  type Controller,
  controllerOwner,
  fromChanges,
  fromInformer,
  type Request,
  storedIn,
} from '../../controller/index.js'
import { ROLE, SERVICE_ACCOUNT_REF } from '../../tenancy/names.js'
import { type TenancyControllerDeps } from '../deps.js'
import { whenSynced } from '../synced.js'
import { tellerOf, tellingFailures } from '../telling.js'
import { ServiceAccountReconciler } from './serviceaccount.reconciler.js'

const NAME = 'serviceaccount'
const SERVICE_ACCOUNTS = { group: '', version: 'v1', resource: 'serviceaccounts', kind: 'ServiceAccount' }

export function serviceAccountController(deps: TenancyControllerDeps): Controller {
  const { resources, informers, client, events } = deps
  const { roles, roleBindings } = resources
  const accounts = new CachedResource(SERVICE_ACCOUNTS, informers, client)
  const reconciler = new ServiceAccountReconciler({
    get: (name, namespace) => accounts.get(name, namespace),
    requireRole: (name, namespace) => roles.require(name, namespace),
    bindings: storedIn(roleBindings),
    bindingsOf: (account, namespace) =>
      [...roleBindings.labelled(SERVICE_ACCOUNT_REF, account)].filter(
        ({ metadata }) => metadata.namespace === namespace,
      ),
    ownerFor: (account) => controllerOwner(accounts.type, account),
    tell: tellerOf(events, NAME, accounts),
  })
  const needed = [accounts, roles, roleBindings].map(({ informer }) => informer)
  return {
    name: NAME,
    reconciler: tellingFailures(events, NAME, accounts, reconciler),
    sources: [
      whenSynced(needed, fromInformer(accounts.informer, ifAnnotated)),
      whenSynced(
        needed,
        // The role that an account waits for.
        fromChanges(roles.informer, ({ type, object: { namespace } }) =>
          type === 'added' ? [...accounts.informer.store.byName(namespace)].flatMap(ifAnnotated) : [],
        ),
      ),
      whenSynced(
        needed,
        fromChanges(roleBindings.informer, ({ object: { namespace, labels } }) => {
          const name = labels[SERVICE_ACCOUNT_REF]
          return name === undefined ? [] : [{ namespace, name }]
        }),
      ),
    ],
  }
}

const ANNOTATION = Buffer.from(JSON.stringify(ROLE))

/** Hardly any account is annotated: looking at the bytes is cheaper than reading each. */
function ifAnnotated({ namespace, name, bytes }: CachedObject): Request[] {
  return bytes.includes(ANNOTATION) ? [{ namespace, name }] : []
}
