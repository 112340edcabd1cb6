/**
 * Users that are written through the Kubernetes API: the rules are those of the platform's own routes.
 *
 * The console writes here at the first login (a new password, and the mark of the first login goes) and to switch
 * accounts on and off. A password in plain text is hashed before it is stored; no hash is taken, and none is shown.
 */
import { forbidden } from '../apimachinery/errors/index.js'
import { isObject } from '../apimachinery/json/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { UNINITIALIZED, type UserObject, type UserState } from '../authentication/users.js'
import { type GuardedWrite, type Policy } from '../serving/guard/policy.js'
import { changedUser, newUser, switchTime, type WantedUser } from '../tenancy/accounts/changes.js'
import { NewPasswords } from '../tenancy/accounts/newpasswords.js'
import { reduce, seesNamesOnly } from '../tenancy/accounts/reduced.js'
import { AccountRules } from '../tenancy/accounts/rules.js'
import { GLOBAL_ROLE } from '../tenancy/names.js'
import { USERS } from '../tenancy/resources.js'
import { type GuardDeps } from './deps.js'

export function userPolicy(deps: GuardDeps): Policy {
  const rules = new AccountRules(deps)
  const newPasswords = new NewPasswords(deps)
  const { group, resource } = USERS

  async function create(after: UserObject, { caller, signal }: GuardedWrite): Promise<UserObject> {
    rules.demandUnclaimed(caller, after.metadata.name ?? '')
    const password = passwordOf(after)
    const user = { ...typeOf(after), ...newUser(wantedFrom(after)) }
    return password === '' ? user : newPasswords.applied(user, password, signal)
  }

  async function update(
    before: UserObject,
    after: UserObject,
    { caller, name, signal }: GuardedWrite,
  ): Promise<UserObject> {
    const manages = await rules.manages(caller, name)
    rules.demandPower(caller, before)
    const changed = rules.administers(caller)
      ? administered(before, after)
      : changedUser(before, wantedFrom(after), manages, deps.now())
    rules.demandSwitch(before, changed)
    const stored = { ...typeOf(after), ...changed }
    const password = passwordOf(after)
    if (password === '' || password === passwordOf(before)) return stored
    // The own route asks for the old password; the first one is nobody's secret.
    if (!manages && before.metadata.annotations?.[UNINITIALIZED] === undefined)
      throw forbidden(
        { group, resource },
        name,
        `User "${caller.name}" cannot change a password here without showing the old one`,
      )
    return newPasswords.applied(stored, password, signal)
  }

  /** As it was written, but for what is nobody's to write. */
  function administered(before: UserObject, after: UserObject): UserObject {
    const { [GLOBAL_ROLE]: _, ...annotations } = after.metadata.annotations ?? {}
    const { password: __, ...spec } = after.spec ?? {}
    const kept = passwordOf(before)
    const { status = {} } = after
    const isSwitched = status.state !== before.status?.state
    const isDated = status.lastTransitionTime !== before.status?.lastTransitionTime
    return {
      ...after,
      metadata: { ...after.metadata, annotations },
      spec: { ...spec, ...(kept !== '' && { password: kept }) },
      // Failed logins from before a change of state are forgiven.
      status: isSwitched && !isDated ? { ...status, lastTransitionTime: switchTime(deps.now()) } : status,
    }
  }

  function remove(before: UserObject, { caller, name }: GuardedWrite): void {
    rules.demandPower(caller, before)
    rules.demandDispensable(name)
  }

  return {
    group,
    resource,
    judge(write) {
      const before = write.before as UserObject | undefined
      const after = write.after && userFrom(write.after)
      if (after === undefined) return before && remove(before, write)
      return before === undefined ? create(after, write) : update(before, after, write)
    },
    conceal(user, caller) {
      const { spec, metadata } = user
      if (isObject(spec)) delete spec['password']
      if (metadata.name === caller.name || !seesNamesOnly(caller, deps.rights, deps)) return false
      reduce(user)
      return true
    },
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const textsIn = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(isObject(value) ? value : {}).filter((entry): entry is [string, string] =>
      isText(entry[1]),
    ),
  )

/** Values of other types are for the API to refuse: those that matter here are read as absent. */
function userFrom(object: KubeObject): UserObject {
  return { ...object, spec: isObject(object['spec']) ? object['spec'] : {} }
}

function passwordOf({ spec }: UserObject): string {
  return isText(spec?.password) ? spec.password : ''
}

function typeOf({ apiVersion, kind }: KubeObject): Pick<KubeObject, 'apiVersion' | 'kind'> {
  return { ...(apiVersion !== undefined && { apiVersion }), ...(kind !== undefined && { kind }) }
}

function wantedFrom({ metadata, spec, status }: UserObject): WantedUser {
  const { email, lang, description, displayName } = textsIn(spec)
  const { name, generateName, labels, annotations } = metadata
  return {
    metadata: {
      ...(isText(name) && { name }),
      ...(isText(generateName) && { generateName }),
      ...(labels && { labels: textsIn(labels) }),
      ...(annotations && { annotations: textsIn(annotations) }),
    },
    spec: {
      email: email ?? '',
      ...(lang !== undefined && { lang }),
      ...(description !== undefined && { description }),
      ...(displayName !== undefined && { displayName }),
    },
    state: (textsIn(status)['state'] ?? '') as UserState,
  }
}
