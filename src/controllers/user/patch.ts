/** How controllers write a user. */
import { type UserObject } from '../../authentication/users.js'
import { type ObjectWriter } from '../../client/writer.js'

export const USERS_PATH = '/apis/iam.kubesphere.io/v1alpha2/users'

/** Fails with a conflict when the user has changed meanwhile; the next pass starts from what it is then. */
export function patchUser(
  writer: ObjectWriter,
  from: Readonly<UserObject>,
  patch: { metadata?: object },
  signal: AbortSignal,
): Promise<void> {
  const { name = '', resourceVersion, uid } = from.metadata
  const guarded = { ...patch, metadata: { ...patch.metadata, uid, resourceVersion } }
  return writer.mergePatch(`${USERS_PATH}/${encodeURIComponent(name)}`, guarded, signal).then(() => undefined)
}
