/** The user controller: passwords, states, groups, kubeconfigs, and what is left when a user goes. */
import { type Change } from '../../client/cache/interface.js'
import {
  type Controller,
  fromChanges,
  fromInformer,
  type Request,
  type Source,
  storedIn,
} from '../../controller/index.js'
import { groupsOfUser } from '../../tenancy/groupsofuser.js'
import { Mentions } from '../../tenancy/mentions.js'
import { USER_REF, USERNAME } from '../../tenancy/names.js'
import { type TenancyControllerDeps } from '../deps.js'
import { federated, FEDERATED_USER } from '../federation/index.js'
import { type Kubeconfigs, kubeconfigsOf } from '../kubeconfig/index.js'
import { directoryOf, limited } from '../ldap/index.js'
import { whenSynced } from '../synced.js'
import { tellerOf, tellingFailures } from '../telling.js'
import { Belongings } from './belongings.js'
import { Departed } from './departed.js'
import { UserReconciler } from './user.reconciler.js'

const NAME = 'user'

export function userController(deps: TenancyControllerDeps): Controller {
  const { resources, events, passwords, options, logger } = deps
  const { users, loginRecords, groups, groupBindings } = resources
  const belongings = new Belongings(resources)
  const usersByGroup = new Mentions(users, ({ spec }) => spec?.groups ?? [])
  const bindingsByGroup = new Mentions(groupBindings, ({ groupRef }) =>
    groupRef?.name === undefined ? [] : [groupRef.name],
  )
  const departedGroups = new Departed(groups.informer, Date.now)
  const kubeconfigs = kubeconfigsOf(deps)
  const directory = directoryOf(deps)
  const stored = storedIn(users)
  const reconciler = new UserReconciler({
    get: (name) => users.get(name),
    commit: stored.commit,
    failuresOf: (name) =>
      [...loginRecords.informer.store.byLabel(USER_REF, name)]
        .filter((cached) => loginRecords.object(cached).spec?.success === false)
        .map(({ creationTimestamp }) => creationTimestamp),
    groupsOf: (user) =>
      groupsOfUser(user, {
        group: (name) => groups.get(name),
        wasGroup: (name) => departedGroups.has(name),
        bindingsOf: (name) => belongings.groupBindingsOf(name),
      }),
    hash: (password, signal) => passwords.hash(password, signal),
    keepKubeconfig: async (user, signal) => kubeconfigs?.keeper.keep(user, signal),
    async removeBelongings({ metadata: { name = '' } }, signal) {
      await belongings.remove(name, signal)
      await kubeconfigs?.keeper.remove(name, signal)
      await directory?.remove(name, limited(signal)).catch((error: unknown) => {
        // A directory that is gone must not keep users from going.
        signal.throwIfAborted()
        logger.warn({ user: name, error }, 'a deleted user is still in the directory')
      })
    },
    tell: tellerOf(events, NAME, users, 'User synced successfully'),
    lock: {
      maxTries: options.authentication.authenticateRateLimiterMaxTries,
      durationMs: options.authentication.authenticateRateLimiterDuration,
    },
    now: Date.now,
  })

  const named = (name: string): Request => ({ namespace: '', name })
  const needed = [
    users,
    loginRecords,
    groups,
    groupBindings,
    resources.globalRoleBindings,
    resources.workspaceRoleBindings,
    resources.clusterRoleBindings,
    resources.roleBindings,
    ...(kubeconfigs ? [kubeconfigs.maps, kubeconfigs.requests] : []),
  ].map(({ informer }) => informer)
  return federated(deps, users, FEDERATED_USER, {
    name: NAME,
    reconciler: tellingFailures(events, NAME, users, reconciler),
    workers: 4,
    sources: [
      whenSynced(needed, fromInformer(users.informer)),
      whenSynced(
        needed,
        fromChanges(loginRecords.informer, ({ object: { labels } }) => {
          const name = labels[USER_REF]
          return name === undefined ? [] : [named(name)]
        }),
      ),
      whenSynced(
        needed,
        fromChanges(groupBindings.informer, ({ object, previous = object }) =>
          [object, previous].flatMap((cached) => (groupBindings.object(cached).users ?? []).map(named)),
        ),
      ),
      whenSynced(
        needed,
        fromChanges(groups.informer, ({ object }) => affected(object.name)),
      ),
      ...(kubeconfigs ? [whenSynced(needed, lostKubeconfigs(kubeconfigs))] : []),
    ],
  })

  /** Those whose file was deleted, or whose request went unanswered. */
  function lostKubeconfigs({ maps, requests }: Kubeconfigs): Source {
    const owners = ({ type, object }: Change): Request[] => {
      const name = object.labels[USERNAME]
      return type === 'deleted' && name !== undefined ? [named(name)] : []
    }
    return (enqueue) => {
      const stops = [maps, requests].map(({ informer }) => fromChanges(informer, owners)(enqueue))
      return () => stops.forEach((stop) => stop())
    }
  }

  /** Who is, or has to be, in the group of that name. */
  function affected(group: string): Request[] {
    const members = bindingsByGroup.of(group).flatMap(({ users }) => users ?? [])
    const listed = usersByGroup.of(group).map(({ metadata }) => metadata.name ?? '')
    return [...members, ...listed].map(named)
  }
}
