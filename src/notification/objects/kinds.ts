/** The kinds of notification objects, whose they are by their labels, and where secrets of them live. */
import { type CachedResourceType } from '../../client/cachedresource.js'

export const NOTIFICATION_GROUP = 'notification.kubesphere.io'
/** Secrets and templates of notifications are kept here, and nowhere else. */
export const NOTIFICATION_NAMESPACE = 'kubesphere-monitoring-federated'
export const MANAGED_LABEL = 'notification.kubesphere.io/managed'
export const TYPE_LABEL = 'type'
export const USER_LABEL = 'user'

/** v2beta2 says all that v2beta1 can; objects are always read and written in it. */
const own = (resource: string, kind: string): CachedResourceType => ({
  group: NOTIFICATION_GROUP,
  version: 'v2beta2',
  resource,
  kind,
  singular: resource.slice(0, -1),
})

export const CONFIGS = own('configs', 'Config')
export const RECEIVERS = own('receivers', 'Receiver')
export const ROUTERS = own('routers', 'Router')
export const SILENCES = own('silences', 'Silence')
export const NOTIFICATION_MANAGERS = own('notificationmanagers', 'NotificationManager')
export const SECRETS: CachedResourceType = {
  group: '',
  version: 'v1',
  resource: 'secrets',
  kind: 'Secret',
  singular: 'secret',
}
export const CONFIG_MAPS: CachedResourceType = {
  group: '',
  version: 'v1',
  resource: 'configmaps',
  kind: 'ConfigMap',
  singular: 'configmap',
}

/** Value of the label `type` of objects that are for everybody. */
export function globalTypeOf(resource: string): 'default' | 'global' {
  return resource === CONFIGS.resource ? 'default' : 'global'
}
