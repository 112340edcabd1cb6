/**
 * Writes users with a password to the directory. A controller of its own, so that a directory that does not answer
 * holds up nothing else; who is deleted is removed by the user controller, before the user is let go.
 */
import { BCRYPT, type UserObject } from '../../authentication/users.js'
import { type Reconciler, type Request } from '../../controller/index.js'
import { type DirectoryUser } from '../../integrations/ldap/directory.js'
import { FEDERATED } from '../../tenancy/names.js'
import { type Tell } from '../telling.js'

export interface LdapReconcilerDeps {
  get: (name: string) => Readonly<UserObject> | undefined
  /** @returns whether anything had to be written */
  put: (user: DirectoryUser, signal: AbortSignal) => Promise<boolean>
  remove: (name: string, signal: AbortSignal) => Promise<void>
  tell: Tell
}

export class LdapReconciler implements Reconciler {
  /** What the directory has been seen to hold, by the uid of the user: users change more often than passwords. */
  readonly #seen = new Map<string, string>()

  constructor(private readonly deps: LdapReconcilerDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<void> {
    const { get, put, remove, tell } = this.deps
    const user = get(name)
    if (user === undefined) {
      // Written while the user controller was removing it.
      if (this.#seen.has(name)) await remove(name, signal)
      this.#seen.delete(name)
      return
    }
    const { email = '', password = '' } = user.spec ?? {}
    const isElsewhere = user.metadata.labels?.[FEDERATED] === 'true'
    // A plain password is being hashed; the write brings the next pass.
    if (user.metadata.deletionTimestamp || isElsewhere || !BCRYPT.test(password)) return
    const wanted = [user.metadata.uid, email, password].join('\0')
    if (this.#seen.get(name) === wanted) return
    if (await put({ name, email, passwordHash: password }, signal)) tell(user)
    this.#seen.set(name, wanted)
  }
}
