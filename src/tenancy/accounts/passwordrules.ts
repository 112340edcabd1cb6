/**
 * What a password has to be. Those of v3.4, so that a password taken here is one there, and it is not the user's name.
 *
 * A message never holds the password: errors are shown on screens and kept in logs.
 */
import { forbiddenField } from '../../apimachinery/errors/faults.js'
import { type FieldFault, invalid } from '../../apimachinery/errors/index.js'
import { BCRYPT } from '../../authentication/users.js'

const SHORTEST = 8
const LONGEST = 64
/** Of UTF-8; bcrypt does not see what comes after. */
const LONGEST_BYTES = 72
const CLASSES = [/[a-z]/, /[A-Z]/, /[0-9]/]

/** @throws StatusError 422 */
export function demandPassword(password: string, user: string): void {
  const why = faultOf(password, user)
  if (why === undefined) return
  const fault: FieldFault = forbiddenField('spec.password', why)
  throw invalid({ group: 'iam.kubesphere.io', kind: 'User' }, user, [fault])
}

function faultOf(password: string, user: string): string | undefined {
  const { length } = [...password]
  if (BCRYPT.test(password)) return 'this is a hash, and a password is wanted'
  if (length < SHORTEST) return `a password has at least ${SHORTEST} characters`
  if (length > LONGEST) return `a password has at most ${LONGEST} characters`
  if (Buffer.byteLength(password) > LONGEST_BYTES) return `a password has at most ${LONGEST_BYTES} bytes`
  if (password.includes('\0')) return 'a password has no character NUL'
  if (!CLASSES.every((some) => some.test(password)))
    return 'a password has a lower-case letter, an upper-case letter and a digit'
  if (password.toLowerCase() === user.toLowerCase()) return 'a password is not the name of its user'
  return undefined
}
