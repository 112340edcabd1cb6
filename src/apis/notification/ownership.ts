/** Whose an object is. A path without a user speaks of what is everybody's, one with a user of what is that user's. */
import { badRequest, forbidden, type StatusError } from '../../apimachinery/errors/index.js'
import { type Requirement, Selector } from '../../apimachinery/labels/index.js'
import { type ObjectMeta } from '../../apimachinery/meta/types.js'
import { globalTypeOf, MANAGED_LABEL, TYPE_LABEL, USER_LABEL } from '../../notification/objects/kinds.js'
import { type NotificationKind } from './kinds.js'

/** Undefined: everybody. */
export type Owner = string | undefined

/** Labels that are not the client's to choose. */
export function ownerLabels(kind: NotificationKind, owner: Owner): Record<string, string> {
  return {
    ...(!kind.unlabelled && {
      [TYPE_LABEL]: owner === undefined ? globalTypeOf(kind.type.resource) : 'tenant',
    }),
    ...(owner !== undefined && { [USER_LABEL]: owner }),
    ...(kind.namespace !== '' && { [MANAGED_LABEL]: 'true' }),
  }
}

/** @param wanted what the client selects by, besides */
export function ownedSelector(kind: NotificationKind, owner: Owner, wanted: Selector | undefined): Selector {
  const is = (key: string, value: string): Requirement => ({ key, operator: '=', values: [value] })
  return new Selector([
    ...(owner !== undefined ? [is(TYPE_LABEL, 'tenant'), is(USER_LABEL, owner)] : []),
    ...(owner === undefined && !kind.unlabelled ? [is(TYPE_LABEL, globalTypeOf(kind.type.resource))] : []),
    ...(wanted?.requirements ?? []),
  ])
}

/** @throws StatusError 403, which the routes answer as 400 */
export function demandOwner(
  kind: NotificationKind,
  { labels = {} }: Pick<ObjectMeta, 'labels'>,
  owner: Owner,
): void {
  const type = Object.hasOwn(labels, TYPE_LABEL) ? labels[TYPE_LABEL] : undefined
  const user = Object.hasOwn(labels, USER_LABEL) ? labels[USER_LABEL] : undefined
  if (owner === undefined) {
    if (!kind.unlabelled && type !== globalTypeOf(kind.type.resource)) throw notOwned(kind.shownAs, owner)
  } else if (type !== 'tenant' || user !== owner) throw notOwned(kind.shownAs, owner)
}

export function notOwned(shownAs: string, owner: Owner): StatusError {
  const why =
    owner === undefined ? 'object is not a global object' : `user '${owner}' is not the owner of object`
  return forbidden({ group: 'notification.kubesphere.io', resource: shownAs }, '', why)
}

/** @throws StatusError 403 for what tenants have none of */
export function demandOpen(kind: NotificationKind, owner: Owner, verb: string): void {
  if (owner === undefined || !kind.globalOnly) return
  const { group, resource } = kind.type
  throw forbidden({ group, resource }, '', `tenant can not ${verb} ${resource}`)
}

/** @throws StatusError 400 */
export function demandSameName(inBody: string | undefined, inPath: string): void {
  if (inBody !== inPath)
    throw badRequest('incorrcet parameter, resource name is not equal to the name in body')
}
