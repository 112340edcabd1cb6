/**
 * The users who can log in, by name, e-mail address and external identity. Filled from an informer; what is
 * needed of each is taken out once per change, so that a request costs one map lookup.
 */
import { type KubeObject, type ObjectMeta } from '../apimachinery/meta/types.js'
import { type InformerSet } from '../client/cache/interface.js'
import { type Gate, gate } from '../client/gate.js'
import { emailKey } from '../tenancy/emailaddress.js'

export const USERS = { group: 'iam.kubesphere.io', version: 'v1alpha2', resource: 'users' }
export const UNINITIALIZED = 'iam.kubesphere.io/uninitialized'
export const IDENTITY_PROVIDER_LABEL = 'iam.kubesphere.io/identify-provider'
export const ORIGIN_UID_LABEL = 'iam.kubesphere.io/origin-uid'

export type UserState = 'Active' | 'Disabled' | 'AuthLimitExceeded' | ''

export interface UserObject extends KubeObject {
  metadata: ObjectMeta
  spec?: {
    email?: string
    lang?: string
    description?: string
    displayName?: string
    groups?: string[]
    password?: string
  }
  status?: { state?: UserState; reason?: string; lastTransitionTime?: string; lastLoginTime?: string }
}

export interface User {
  readonly name: string
  readonly email: string
  readonly lang: string
  /** Of the spec; `system:authenticated` comes with logging in. */
  readonly groups: readonly string[]
  /** A bcrypt hash, or "" for users without a local password. */
  readonly passwordHash: string
  /** A new password has been written in plain text, and its hash is a moment away. */
  readonly isPasswordPending: boolean
  /** Of a user who is being deleted: Disabled, whatever else the object says. */
  readonly state: UserState
  readonly isLeaving: boolean
  /** Milliseconds; 0 when unknown. Failed logins before it do not count. */
  readonly lastTransitionAt: number
  /** The value of the annotation that makes the console ask for a new password. */
  readonly uninitialized: string
  readonly identity: string | undefined
}

export const BCRYPT = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/

const NOBODY: ReadonlySet<string> = new Set()

export class UserDirectory {
  readonly #byName = new Map<string, User>()
  readonly #byEmail = new Map<string, Set<string>>()
  readonly #byIdentity = new Map<string, Set<string>>()
  readonly #stop: () => void
  /** Undefined once all users are known; until then, what to wait for. */
  readonly pending: Gate

  /** @param onDistrust called with the name of a user whose sessions must end: gone, going, or with a new password */
  constructor(
    informers: InformerSet,
    private readonly onDistrust: (name: string) => void = () => undefined,
  ) {
    const informer = informers.informer(USERS)
    const { store } = informer
    this.pending = gate([informer], 'users')
    for (const cached of store.byName()) this.#set(store.object<UserObject>(cached))
    this.#stop = informer.onChange(({ type, object }) => {
      if (type === 'deleted') {
        this.#delete(object.name)
        this.onDistrust(object.name)
      } else this.#set(store.object<UserObject>(object))
    })
  }

  get(name: string): User | undefined {
    return this.#byName.get(name)
  }

  /** Case does not matter. @returns undefined also when several users share the address */
  byEmail(email: string): User | undefined {
    return this.#only(this.namesByEmail(email))
  }

  /** Everybody with the address; case does not matter. */
  namesByEmail(email: string): ReadonlySet<string> {
    return this.#byEmail.get(emailKey(email)) ?? NOBODY
  }

  byIdentity(provider: string, uid: string): User | undefined {
    return this.#only(this.namesByIdentity(provider, uid))
  }

  /** More than one is a mistake somebody made with the labels. */
  namesByIdentity(provider: string, uid: string): ReadonlySet<string> {
    return this.#byIdentity.get(identityKey(provider, uid)) ?? NOBODY
  }

  stop(): void {
    this.#stop()
  }

  #only(names: ReadonlySet<string> | undefined): User | undefined {
    if (names?.size !== 1) return undefined
    const [name = ''] = names
    return this.#byName.get(name)
  }

  #set(object: Readonly<UserObject>): void {
    const user = userFrom(object)
    const before = this.#byName.get(user.name)
    this.#delete(user.name)
    this.#byName.set(user.name, user)
    if (user.email !== '') add(this.#byEmail, emailKey(user.email), user.name)
    if (user.identity !== undefined) add(this.#byIdentity, user.identity, user.name)
    if (before !== undefined && isDistrusted(before, user)) this.onDistrust(user.name)
  }

  #delete(name: string): void {
    const user = this.#byName.get(name)
    if (user === undefined) return
    this.#byName.delete(name)
    remove(this.#byEmail, emailKey(user.email), name)
    if (user.identity !== undefined) remove(this.#byIdentity, user.identity, name)
  }
}

/**
 * Disabled users are refused whatever they show, and are where they were once they are enabled again, as in v3.4;
 * whoever distrusts the sessions changes the password.
 */
function isDistrusted(before: User, after: User): boolean {
  if (after.isLeaving) return !before.isLeaving
  return before.passwordHash !== '' && before.passwordHash !== after.passwordHash
}

export function userFrom({ metadata, spec = {}, status = {} }: Readonly<UserObject>): User {
  const { annotations = {}, labels = {} } = metadata
  const provider = labels[IDENTITY_PROVIDER_LABEL]
  const uid = labels[ORIGIN_UID_LABEL]
  const password = spec.password ?? ''
  const isLeaving = metadata.deletionTimestamp !== undefined
  const isHash = BCRYPT.test(password)
  return {
    name: metadata.name ?? '',
    email: spec.email ?? '',
    lang: spec.lang ?? '',
    groups: spec.groups ?? [],
    passwordHash: isHash ? password : '',
    isPasswordPending: password !== '' && !isHash,
    state: isLeaving ? 'Disabled' : (status.state ?? ''),
    isLeaving,
    lastTransitionAt: Date.parse(status.lastTransitionTime ?? '') || 0,
    uninitialized: annotations[UNINITIALIZED] ?? '',
    identity: provider !== undefined && uid !== undefined ? identityKey(provider, uid) : undefined,
  }
}

const identityKey = (provider: string, uid: string): string => JSON.stringify([provider, uid])

function add(index: Map<string, Set<string>>, key: string, name: string): void {
  const names = index.get(key)
  if (names === undefined) index.set(key, new Set([name]))
  else names.add(name)
}

function remove(index: Map<string, Set<string>>, key: string, name: string): void {
  const names = index.get(key)
  names?.delete(name)
  if (names?.size === 0) index.delete(key)
}
