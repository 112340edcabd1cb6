/** From the password that somebody has chosen to what is stored of it. */
import { type Passwords } from '../../authentication/passwords.js'
import { type UserObject } from '../../authentication/users.js'
import { LAST_PASSWORD_CHANGE } from '../names.js'
import { rfc3339 } from './changes.js'
import { LAST_APPLIED } from './lastapplied.js'
import { demandPassword } from './passwordrules.js'

export interface NewPasswordsDeps {
  passwords: Passwords
  now(): Date
}

export class NewPasswords {
  constructor(private readonly deps: NewPasswordsDeps) {}

  /** What to store of it. @throws StatusError 422 */
  async changeFor(user: string, password: string, signal: AbortSignal) {
    demandPassword(password, user)
    const hash = await this.deps.passwords.hash(password, signal)
    return {
      metadata: { annotations: { [LAST_PASSWORD_CHANGE]: rfc3339(this.deps.now()) } },
      spec: { password: hash },
    }
  }

  /** The user with that password. @throws StatusError 422 */
  async applied(user: UserObject, password: string, signal: AbortSignal): Promise<UserObject> {
    const { metadata, spec } = await this.changeFor(user.metadata.name ?? '', password, signal)
    const { [LAST_APPLIED]: _, ...annotations } = user.metadata.annotations ?? {}
    return {
      ...user,
      metadata: { ...user.metadata, annotations: { ...annotations, ...metadata.annotations } },
      spec: { ...user.spec, ...spec },
    }
  }
}
