/** The user controller: hashes passwords, sets states, locks and unlocks. */
import { type Passwords } from '../../authentication/passwords.js'
import { type LoginRecordObject, USER_REF_LABEL } from '../../authentication/loginrecords.js'
import { type UserObject, USERS } from '../../authentication/users.js'
import { type InformerSet } from '../../client/cache/interface.js'
import { type ObjectWriter } from '../../client/writer.js'
import { type Controller, fromInformer } from '../../controller/index.js'
import { LOGIN_RECORDS } from '../loginrecord/index.js'
import { whenSynced } from '../synced.js'
import { patchUser } from './patch.js'
import { UserReconciler } from './user.reconciler.js'

export interface UserControllerDeps {
  informers: InformerSet
  writer: ObjectWriter
  passwords: Passwords
  /** `authentication.authenticateRateLimiter*` of the configuration; milliseconds. */
  options: { authenticateRateLimiterMaxTries: number; authenticateRateLimiterDuration: number }
  now?: () => number
}

export function userController(deps: UserControllerDeps): Controller {
  const { informers, writer, passwords, options, now } = deps
  const users = informers.informer(USERS)
  const records = informers.informer(LOGIN_RECORDS)
  const reconciler = new UserReconciler({
    get(name) {
      const cached = users.store.get('', name)
      return cached && users.store.object<UserObject>(cached)
    },
    failuresOf: (name) =>
      [...records.store.byLabel(USER_REF_LABEL, name)]
        .filter((cached) => records.store.object<LoginRecordObject>(cached).spec?.success === false)
        .map(({ creationTimestamp }) => creationTimestamp),
    patch: (from, patch, signal) => patchUser(writer, from, patch, signal),
    hash: (password, signal) => passwords.hash(password, signal),
    lock: {
      maxTries: options.authenticateRateLimiterMaxTries,
      durationMs: options.authenticateRateLimiterDuration,
    },
    ...(now && { now }),
  })
  const both = [users, records]
  return {
    name: 'user',
    reconciler,
    workers: 4,
    sources: [
      whenSynced(both, fromInformer(users)),
      whenSynced(
        both,
        fromInformer(records, ({ labels }) => {
          const name = labels[USER_REF_LABEL]
          return name === undefined ? [] : [{ namespace: '', name }]
        }),
      ),
    ],
  }
}
