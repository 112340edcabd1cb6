/** Bodies that hold a user, read the way the original's typed object is: what is not part of the type is dropped. */
import { type Static, Type } from '../../../apimachinery/schema/type.js'
import { type UserState } from '../../../authentication/users.js'
import { GLOBAL_ROLE } from '../../../tenancy/names.js'
import { type WantedUser } from '../../../tenancy/accounts/changes.js'
import { MetadataBody, typedMetadata } from '../../../tenancy/typedmetadata.js'

const text = Type.Optional(Type.Union([Type.String(), Type.Null()]))

export const UserBody = Type.Object(
  {
    ...MetadataBody.properties,
    spec: Type.Optional(
      Type.Union([
        Type.Object({ email: text, lang: text, description: text, displayName: text, password: text }),
        Type.Null(),
      ]),
    ),
    status: Type.Optional(Type.Union([Type.Object({ state: text }), Type.Null()])),
  },
  { title: 'v1alpha2.User' },
)

export interface UserRequest {
  wanted: WantedUser
  /** In plain text; "" when there is none. */
  password: string
  /** The platform role to give; "" when none is asked for. */
  globalRole: string
}

export function userRequest(body: Static<typeof UserBody>): UserRequest {
  const metadata = typedMetadata(body)
  const { email, lang, description, displayName, password } = body.spec ?? {}
  return {
    wanted: {
      metadata,
      spec: {
        email: email ?? '',
        lang: lang ?? '',
        description: description ?? '',
        displayName: displayName ?? '',
      },
      state: (body.status?.state ?? '') as UserState,
    },
    password: password ?? '',
    globalRole: metadata.annotations?.[GLOBAL_ROLE] ?? '',
  }
}
