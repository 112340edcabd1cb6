/**
 * From an identity at a provider to a user here, or to the right to become one.
 *
 * A user belongs to an identity by two labels: the provider and the uid there. Names and e-mail addresses are never
 * compared: whoever may choose them at the provider would choose somebody else's.
 */
import { createHash } from 'node:crypto'
import { isAlreadyExists, StatusError } from '../../apimachinery/errors/index.js'
import { LoginError } from '../login.js'
import { PRE_REGISTRATION } from '../tokens/claims.js'
import { type Subject } from '../tokens/issuer.js'
import {
  IDENTITY_PROVIDER_LABEL,
  ORIGIN_UID_LABEL,
  type User,
  type UserDirectory,
  userFrom,
  type UserObject,
} from '../users.js'
import { type Identity } from './interface.js'

export interface MappingOptions {
  /** Of the provider. */
  name: string
  /** `auto` makes users of identities that have none; everything else only finds them. */
  mappingMethod: string
  /** Make them at once, without asking for a name. */
  disableLoginConfirmation: boolean
}

export interface MappingDeps {
  users: UserDirectory
  /** Settles when the directory has the user. */
  createUser(user: UserObject, signal: AbortSignal): Promise<UserObject>
}

export class Mapping {
  constructor(private readonly deps: MappingDeps) {}

  /**
   * @returns the user, or what the token of a registration carries
   * @throws LoginError `unmapped` when there is no user and none may be made
   */
  async resolve(options: MappingOptions, identity: Identity, signal: AbortSignal): Promise<User | Subject> {
    const uid = labelValue(identity.uid)
    const known = this.#find(options.name, uid)
    if (known !== undefined) return known
    if (options.mappingMethod !== 'auto') throw notMapped(identity.username)
    if (options.disableLoginConfirmation) return this.#create(options.name, { ...identity, uid }, signal)
    const { username, email } = identity
    const extra = { idp: [options.name], uid: [uid], username: [username], email: [email] }
    return { username: PRE_REGISTRATION, extra }
  }

  #find(provider: string, uid: string): User | undefined {
    const names = this.deps.users.namesByIdentity(provider, uid)
    if (names.size > 1) throw new LoginError('unmapped', 'the identity belongs to several users')
    const [name] = names
    return name === undefined ? undefined : this.deps.users.get(name)
  }

  async #create(provider: string, { uid, username, email }: Identity, signal: AbortSignal): Promise<User> {
    const name = username.toLowerCase()
    const labels = { [IDENTITY_PROVIDER_LABEL]: provider, [ORIGIN_UID_LABEL]: uid }
    const metadata = { name, labels }
    try {
      return userFrom(await this.deps.createUser({ metadata, spec: { email } }, signal))
    } catch (error) {
      // The same person may have logged in twice at once.
      const known = isAlreadyExists(error) ? this.#find(provider, uid) : undefined
      if (known !== undefined) return known
      // A name or an address that is taken, or none: for the person to hear, not a fault of the server.
      if (error instanceof StatusError && error.code < 500) throw new LoginError('unmapped', error.message)
      throw error
    }
  }
}

export const isUser = (found: User | Subject): found is User => 'passwordHash' in found

function notMapped(username: string): LoginError {
  return new LoginError('unmapped', `user.iam.kubesphere.io ${JSON.stringify(username)} not found`)
}

const LABEL_VALUE = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/
const DIGEST = 'sha256-'

/** The uid as a label can hold it: as it is, or else a digest of it, which nobody can have for a uid. */
function labelValue(uid: string): string {
  if (LABEL_VALUE.test(uid) && !uid.startsWith(DIGEST)) return uid
  return DIGEST + createHash('sha256').update(uid).digest('hex').slice(0, 48)
}
