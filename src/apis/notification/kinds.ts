/** Which resources each version has, and what is special about them. */
import { type CachedResourceType } from '../../client/cachedresource.js'
import { badRequest } from '../../apimachinery/errors/index.js'
import {
  CONFIG_MAPS,
  CONFIGS,
  NOTIFICATION_MANAGERS,
  NOTIFICATION_NAMESPACE,
  RECEIVERS,
  ROUTERS,
  SECRETS,
  SILENCES,
} from '../../notification/objects/kinds.js'

export type Version = 'v2beta1' | 'v2beta2'

export interface NotificationKind {
  type: CachedResourceType
  /** "" for the notification objects themselves. */
  namespace: string
  /** Kind in front of refusals; the original knows it for those two alone. */
  shownAs: string
  /** Tenants have none of these. */
  globalOnly: boolean
  /** Belongs to everybody, whatever its labels. */
  unlabelled: boolean
  /** Has channels, and two versions. */
  convertible: 'configs' | 'receivers' | undefined
}

const kind = (type: CachedResourceType, more: Partial<NotificationKind> = {}): NotificationKind => ({
  type,
  namespace: type.group === '' ? NOTIFICATION_NAMESPACE : '',
  shownAs: '',
  globalOnly: false,
  unlabelled: false,
  convertible: undefined,
  ...more,
})

const COMMON = [
  kind(CONFIGS, { shownAs: 'Config', convertible: 'configs' }),
  kind(RECEIVERS, { shownAs: 'Receiver', convertible: 'receivers' }),
  kind(SECRETS),
  kind(CONFIG_MAPS),
]
const NEWER = [
  kind(NOTIFICATION_MANAGERS, { globalOnly: true, unlabelled: true }),
  kind(ROUTERS, { globalOnly: true }),
  kind(SILENCES),
]

const byResource = (kinds: readonly NotificationKind[]): ReadonlyMap<string, NotificationKind> =>
  new Map(kinds.map((one) => [one.type.resource, one]))
const KINDS: Record<Version, ReadonlyMap<string, NotificationKind>> = {
  v2beta1: byResource(COMMON),
  v2beta2: byResource([...COMMON, ...NEWER]),
}

const TYPES: Record<Version, ReadonlySet<string>> = {
  v2beta1: new Set(['', 'dingtalk', 'email', 'slack', 'webhook', 'wechat']),
  v2beta2: new Set(['', 'dingtalk', 'email', 'feishu', 'slack', 'webhook', 'wechat']),
}

/** For a read. @throws StatusError 400 for a resource, or a channel, that the version does not know */
export function readKind(version: Version, resource: string, channel: string): NotificationKind {
  const found = KINDS[version].get(resource)
  if (found && TYPES[version].has(channel)) return found
  throw badRequest(`unknown resource type ${resource}/${channel}`)
}

/** For a write. @throws StatusError 400 */
export function writtenKind(version: Version, resource: string): NotificationKind {
  const found = KINDS[version].get(resource)
  if (found) return found
  throw badRequest(`unknown resource type ${resource}`)
}
