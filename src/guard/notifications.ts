/**
 * Notification objects: they are of the cluster scope, and only labels tell whose they are. Through the Kubernetes API
 * nobody but administrators makes, changes or takes an object of a user, or moves one from one owner to another; and
 * only they set what the manager does for everybody.
 */
import { isObject } from '../apimachinery/json/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type GuardedWrite, type Policy } from '../serving/guard/policy.js'
import {
  CONFIGS,
  NOTIFICATION_GROUP,
  NOTIFICATION_MANAGERS,
  RECEIVERS,
  ROUTERS,
  SILENCES,
  TYPE_LABEL,
  USER_LABEL,
} from '../notification/objects/kinds.js'
import { demandValid } from '../notification/objects/validation.js'
import { demandAdministrator, type GuardDeps } from './deps.js'
import { changes, label } from './fields.js'
import { administratorsPolicy } from './groups.js'

export function notificationPolicies(deps: GuardDeps): Policy[] {
  return [
    ...[CONFIGS, RECEIVERS, SILENCES, ROUTERS].map(({ resource, kind }) => ownedPolicy(deps, resource, kind)),
    administratorsPolicy(
      deps,
      NOTIFICATION_GROUP,
      NOTIFICATION_MANAGERS.resource,
      'this decides who is told what',
    ),
  ]
}

function ownedPolicy(deps: GuardDeps, resource: string, kind: string): Policy {
  const group = NOTIFICATION_GROUP

  function judge({ caller, name, before, after }: GuardedWrite): void {
    const isMoved = [TYPE_LABEL, USER_LABEL].some((key) =>
      changes((object) => label(object, key), before, after),
    )
    const isOfUser = [before, after].some(ofUser)
    if (isOfUser && (isMoved || !isOwn(before ?? after, caller.name)))
      demandAdministrator(
        deps,
        caller,
        { level: 'global' },
        { group, resource },
        name,
        'the object is that of a user',
      )
    if (after !== undefined) demandValid(kind, name, after['spec'])
  }

  /** An inline credential is for its owner: others see that there is one. */
  function conceal(object: KubeObject, caller: { name: string; groups: readonly string[] }): void {
    if (!ofUser(object) || isOwn(object, caller.name)) return
    if (deps.rights.holdsAll({ name: caller.name, groups: [...caller.groups] }, { level: 'global' })) return
    blank(object['spec'])
    delete object.metadata.managedFields
    const { annotations } = object.metadata
    if (isObject(annotations)) delete annotations['kubectl.kubernetes.io/last-applied-configuration']
  }

  return { group, resource, judge, conceal }
}

const ofUser = (object: KubeObject | undefined): boolean =>
  object !== undefined && (label(object, TYPE_LABEL) === 'tenant' || label(object, USER_LABEL) !== undefined)

const isOwn = (object: KubeObject | undefined, user: string): boolean => label(object, USER_LABEL) === user

/** Credentials have their value in a field of that name, in place of a reference. */
function blank(value: unknown): void {
  if (Array.isArray(value)) for (const item of value) blank(item)
  if (!isObject(value)) return
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'value' && typeof inner === 'string') value[key] = ''
    else blank(inner)
  }
}
