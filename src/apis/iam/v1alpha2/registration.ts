/**
 * The first login through an identity provider: somebody has proved an identity, and becomes a user here.
 *
 * The identity comes from the token and nothing else does but texts. The name is the one that the provider knows
 * the person by; only when that cannot be a name here, or is somebody else's, the person chooses.
 */
import { badRequest, conflict, invalid } from '../../../apimachinery/errors/index.js'
import { invalidValue } from '../../../apimachinery/errors/faults.js'
import { type UserInfo } from '../../../apimachinery/meta/types.js'
import {
  IDENTITY_PROVIDER_LABEL,
  ORIGIN_UID_LABEL,
  type UserDirectory,
} from '../../../authentication/users.js'
import { USERS } from '../../../tenancy/resources.js'
import { type UserRequest } from './userbody.js'

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
/** Of label values, by which bindings and records refer to users. */
const LONGEST_NAME = 63

export class Registrations {
  readonly #underWay = new Set<string>()

  constructor(private readonly users: Pick<UserDirectory, 'get' | 'namesByIdentity'>) {}

  /**
   * @param create makes the user of the request it is given
   * @throws StatusError 400 for a token of no identity, 409 when the identity has a user, 422 for another name
   */
  async register<T>(
    { wanted, ...request }: UserRequest,
    { extra = {} }: UserInfo,
    create: (request: UserRequest) => Promise<T>,
  ): Promise<T> {
    const provider = only(extra['idp'])
    const uid = only(extra['uid'])
    if (provider === undefined || uid === undefined) throw badRequest('invalid registration token')
    const identity = JSON.stringify([provider, uid])
    const name = this.#name(wanted.metadata.name ?? '', extra['username']?.[0] ?? '')
    if (this.#underWay.has(identity) || this.users.namesByIdentity(provider, uid).size > 0)
      throw conflict(USERS, name, 'the identity has a user already')

    this.#underWay.add(identity)
    try {
      const labels = { [IDENTITY_PROVIDER_LABEL]: provider, [ORIGIN_UID_LABEL]: uid }
      return await create({
        ...request,
        wanted: { metadata: { name, labels }, spec: wanted.spec, state: '' },
        password: '',
        globalRole: '',
      })
    } finally {
      this.#underWay.delete(identity)
    }
  }

  #name(chosen: string, claimed: string): string {
    const known = claimed.toLowerCase()
    const isFree = NAME.test(known) && known.length <= LONGEST_NAME && this.users.get(known) === undefined
    if (!isFree || chosen === known) return chosen
    if (chosen === '') return known
    throw invalid({ group: USERS.group, kind: USERS.kind }, chosen, [
      invalidValue('metadata.name', chosen, `the identity provider knows you as ${known}`),
    ])
  }
}

function only(values: readonly string[] | undefined): string | undefined {
  return values?.length === 1 ? values[0] : undefined
}
