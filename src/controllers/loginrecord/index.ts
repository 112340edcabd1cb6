/** The login record controller: retention, and the time of the last login. */
import { LOGIN_RECORDS_PATH, USER_REF_LABEL } from '../../authentication/loginrecords.js'
import { type UserObject, USERS } from '../../authentication/users.js'
import { type CachedObject, type InformerSet } from '../../client/cache/interface.js'
import { type ObjectWriter } from '../../client/writer.js'
import { type Controller, fromInformer } from '../../controller/index.js'
import { whenSynced } from '../synced.js'
import { patchUser } from '../user/patch.js'
import { type LoginRecord, LoginRecordReconciler } from './loginrecord.reconciler.js'

export const LOGIN_RECORDS = { group: 'iam.kubesphere.io', version: 'v1alpha2', resource: 'loginrecords' }

export interface LoginRecordControllerDeps {
  informers: InformerSet
  writer: ObjectWriter
  /** Of `authentication` in the configuration; milliseconds. */
  options: { loginHistoryRetentionPeriod: number; loginHistoryMaximumEntries: number }
  now?: () => number
}

export function loginRecordController({
  informers,
  writer,
  options,
  now,
}: LoginRecordControllerDeps): Controller {
  const users = informers.informer(USERS)
  const records = informers.informer(LOGIN_RECORDS)
  const reconciler = new LoginRecordReconciler({
    get(name) {
      const cached = records.store.get('', name)
      return cached && recordFrom(cached)
    },
    recordsOf: (user) => [...records.store.byLabel(USER_REF_LABEL, user)].map(recordFrom),
    user(name) {
      const cached = users.store.get('', name)
      return cached && users.store.object<UserObject>(cached)
    },
    delete: (name, signal) => writer.delete(`${LOGIN_RECORDS_PATH}/${encodeURIComponent(name)}`, signal),
    patchUser: (from, patch, signal) => patchUser(writer, from, patch, signal),
    retentionMs: options.loginHistoryRetentionPeriod,
    maxEntries: options.loginHistoryMaximumEntries,
    ...(now && { now }),
  })
  return {
    name: 'loginrecord',
    reconciler,
    workers: 5,
    sources: [whenSynced([users, records], fromInformer(records))],
  }
}

function recordFrom({ name, creationTimestamp, labels }: CachedObject): LoginRecord {
  return { name, at: creationTimestamp, user: labels[USER_REF_LABEL] ?? '' }
}
