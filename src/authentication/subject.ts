/** What an access token says of a user. */
import { type Subject } from './tokens/issuer.js'
import { type User } from './users.js'

export { type Subject } from './tokens/issuer.js'

/** The console reads `uninitialized` and asks for a new password. */
export function subjectOf(user: User): Subject {
  return {
    username: user.name,
    ...(user.uninitialized !== '' && { extra: { uninitialized: [user.uninitialized] } }),
  }
}
