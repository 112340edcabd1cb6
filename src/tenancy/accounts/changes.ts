/**
 * Which parts of a user a client may write: by whichever way it writes, and whether the account is its own or it
 * manages accounts.
 *
 * Nobody writes the groups (they follow from group bindings), finalizers, owners, or what the platform keeps in
 * annotations. Whoever has no right to manage users changes the own texts and address, says that the first login
 * is over, and may switch the account off.
 */
import { type ObjectMeta } from '../../apimachinery/meta/types.js'
import { UNINITIALIZED, type UserObject, type UserState } from '../../authentication/users.js'
import { GLOBAL_ROLE, GRANTED_CLUSTERS, LAST_PASSWORD_CHANGE } from '../names.js'

type User = Readonly<UserObject>
type Annotations = Record<string, string>

/** What the client wants the user to be. */
export interface WantedUser {
  metadata: ObjectMeta
  spec: NonNullable<UserObject['spec']>
  state: UserState
}

/** Texts that the console keeps in annotations. */
const TEXTS = ['kubesphere.io/alias-name', 'kubesphere.io/description']
/** Kept by the platform, whatever clients send. */
const OURS = [LAST_PASSWORD_CHANGE, GRANTED_CLUSTERS]
const SETTABLE: readonly UserState[] = ['Active', 'Disabled']

/** A user that is not there yet, without password. */
export function newUser({ metadata, spec }: WantedUser): UserObject {
  const { name, generateName, labels, annotations } = metadata
  return {
    metadata: {
      ...(name !== undefined && { name }),
      ...(generateName !== undefined && { generateName }),
      ...(labels && { labels }),
      ...withAnnotations(clientAnnotations(annotations)),
    },
    spec: textsOf(spec),
  }
}

/**
 * What is stored when the client wants this. The password stays as it is.
 *
 * @param manages users in general; others write their own account alone
 */
export function changedUser(stored: User, wanted: WantedUser, manages: boolean, now: Date): UserObject {
  const { groups, password } = stored.spec ?? {}
  const { labels, annotations: storedAnnotations = {} } = stored.metadata
  const annotations = manages
    ? clientAnnotations(wanted.metadata.annotations)
    : ownAnnotations(storedAnnotations, wanted.metadata.annotations)
  const newLabels = manages ? wanted.metadata.labels : labels
  const { labels: _, annotations: __, ...metadata } = stored.metadata
  return {
    ...stored,
    metadata: {
      ...metadata,
      ...(newLabels && { labels: newLabels }),
      ...withAnnotations({ ...annotations, ...pick(storedAnnotations, OURS) }),
    },
    spec: {
      ...textsOf(wanted.spec),
      ...(groups && { groups }),
      ...(password !== undefined && { password }),
    },
    status: statusOf(stored, wanted.state, manages, now),
  }
}

/** Time as objects hold it. */
export function rfc3339(at: Date): string {
  return at.toISOString().replace(/\.\d+Z$/, 'Z')
}

/**
 * When an account was switched. Rounded up: failed logins are dated by the second, and those of the second in which
 * somebody unlocks an account are not to lock it again.
 */
export function switchTime(now: Date): string {
  return rfc3339(new Date(Math.ceil(now.getTime() / 1000) * 1000))
}

function textsOf({ email = '', lang, description, displayName }: NonNullable<UserObject['spec']>) {
  return {
    email: email.trim(),
    ...(lang && { lang }),
    ...(description && { description }),
    ...(displayName && { displayName }),
  }
}

/** The account that is off is not switched on by its owner, and a lock is not opened. */
function statusOf({ status = {} }: User, wanted: UserState, manages: boolean, now: Date) {
  const { state = '' } = status
  if (wanted === state || !SETTABLE.includes(wanted)) return status
  if (!manages && wanted !== 'Disabled') return status
  const { reason: _, ...rest } = status
  return { ...rest, state: wanted, lastTransitionTime: switchTime(now) }
}

function clientAnnotations(annotations: Annotations = {}): Annotations {
  return without(annotations, [GLOBAL_ROLE, ...OURS])
}

function ownAnnotations(stored: Annotations, wanted: Annotations = {}): Annotations {
  const isOver = wanted[UNINITIALIZED] === undefined
  const kept = without(stored, [GLOBAL_ROLE, ...TEXTS, ...(isOver ? [UNINITIALIZED] : [])])
  return { ...kept, ...pick(wanted, TEXTS) }
}

function withAnnotations(annotations: Annotations): { annotations?: Annotations } {
  return Object.keys(annotations).length === 0 ? {} : { annotations }
}

function without(annotations: Annotations, keys: readonly string[]): Annotations {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !keys.includes(key)))
}

function pick(annotations: Annotations, keys: readonly string[]): Annotations {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => keys.includes(key)))
}
