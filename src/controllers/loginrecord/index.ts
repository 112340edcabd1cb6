/** The login record controller: retention, and the time of the last login. */
import { type CachedObject } from '../../client/cache/interface.js'
import { type Controller, fromInformer, storedIn } from '../../controller/index.js'
import { USER_REF } from '../../tenancy/names.js'
import { type TenancyControllerDeps } from '../deps.js'
import { whenSynced } from '../synced.js'
import { tellerOf } from '../telling.js'
import { type LoginRecord, LoginRecordReconciler } from './loginrecord.reconciler.js'

export function loginRecordController({ resources, events, options }: TenancyControllerDeps): Controller {
  const users = storedIn(resources.users)
  const records = storedIn(resources.loginRecords)
  const { store } = resources.loginRecords.informer
  const tell = tellerOf(events, 'loginrecord', resources.loginRecords, 'LoginRecord synced successfully')
  const { loginHistoryRetentionPeriod, loginHistoryMaximumEntries } = options.authentication
  const reconciler = new LoginRecordReconciler({
    get(name) {
      const cached = store.get('', name)
      return cached && recordFrom(cached)
    },
    recordsOf: (user) => [...store.byLabel(USER_REF, user)].map(recordFrom),
    user: (name) => users.get(name),
    async delete(name, signal) {
      const record = records.get(name)
      if (record) await records.delete(record, signal)
    },
    async commitUser(before, after, record, signal) {
      await users.commit(before, after, signal)
      const object = records.get(record)
      if (object) tell(object)
    },
    retentionMs: loginHistoryRetentionPeriod,
    maxEntries: loginHistoryMaximumEntries,
  })
  const informers = [resources.users.informer, resources.loginRecords.informer]
  return {
    name: 'loginrecord',
    reconciler,
    workers: 5,
    sources: [whenSynced(informers, fromInformer(resources.loginRecords.informer))],
  }
}

function recordFrom({ name, creationTimestamp, labels }: CachedObject<never>): LoginRecord {
  return { name, at: creationTimestamp, user: labels[USER_REF] ?? '' }
}
