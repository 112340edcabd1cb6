/** What of a user everybody may know, when lists are configured to tell no more: who there is, and their roles. */
import { isObject } from '../../apimachinery/json/index.js'
import { type KubeObject, type UserInfo } from '../../apimachinery/meta/types.js'
import { type Rights } from '../../authorization/rights.js'
import { IAM_GROUP } from '../resources.js'

export interface UserListOptions {
  /** What lists show of other users to those who may not read users. */
  userLists: 'full' | 'names'
}

const READ = [{ verbs: ['get'], apiGroups: [IAM_GROUP], resources: ['users'] }]
const SHOWN_ANNOTATIONS =
  /^iam\.kubesphere\.io\/(global|cluster|workspace)?role$|^kubesphere\.io\/alias-name$/

/** Whether the caller sees of others no more than their names. */
export function seesNamesOnly(caller: UserInfo, rights: Rights, { userLists }: UserListOptions): boolean {
  return userLists === 'names' && rights.missing(caller, READ, { level: 'cluster' }).length > 0
}

/** In place. */
export function reduce(user: KubeObject): void {
  const { name = '', uid, creationTimestamp, resourceVersion, annotations } = user.metadata
  const shown = Object.entries(annotations ?? {}).filter(([key]) => SHOWN_ANNOTATIONS.test(key))
  user.metadata = {
    name,
    ...(uid !== undefined && { uid }),
    ...(creationTimestamp !== undefined && { creationTimestamp }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    annotations: Object.fromEntries(shown),
  }
  const displayName: unknown = isObject(user['spec']) ? user['spec']['displayName'] : undefined
  user['spec'] = { email: '', ...(typeof displayName === 'string' && { displayName }) }
  user['status'] = {}
}
