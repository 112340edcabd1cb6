/** The LDAP controller: users in a directory, where one is configured (iam-tenant.md §7.1). */
import { type Controller, fromInformer } from '../../controller/index.js'
import { LdapDirectory } from '../../integrations/ldap/directory.js'
import { type TenancyControllerDeps } from '../deps.js'
import { whenSynced } from '../synced.js'
import { tellerOf, tellingFailures } from '../telling.js'
import { LdapReconciler } from './ldap.reconciler.js'

const NAME = 'ldap'

/** How long the directory may take for one user. */
const LIMIT_MS = 15_000

export function limited(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)])
}

export function directoryOf({
  options: { ldap },
}: Pick<TenancyControllerDeps, 'options'>): LdapDirectory | undefined {
  return ldap.host === '' ? undefined : new LdapDirectory(ldap)
}

/** None without a directory. */
export function ldapController(deps: TenancyControllerDeps): Controller[] {
  const directory = directoryOf(deps)
  if (directory === undefined) return []
  const { users } = deps.resources
  const reconciler = new LdapReconciler({
    get: (name) => users.get(name),
    put: (user, signal) => directory.put(user, limited(signal)),
    remove: (name, signal) => directory.remove(name, limited(signal)),
    tell: tellerOf(deps.events, NAME, users, 'User synced successfully'),
  })
  return [
    {
      name: NAME,
      reconciler: tellingFailures(deps.events, NAME, users, reconciler),
      workers: 1,
      sources: [whenSynced([users.informer], fromInformer(users.informer))],
    },
  ]
}
