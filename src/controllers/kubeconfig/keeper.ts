/**
 * Keeps the kubeconfig of a user good: written when it is missing, its certificate asked for and renewed in time.
 *
 * The certificate comes through a signing request, which the csr controller sees through. In the config map is all but
 * the key; see `tenancy/kubeconfigs.ts`.
 */
import { type X509Certificate } from 'node:crypto'
import { isAlreadyExists } from '../../apimachinery/errors/index.js'
import { type OwnerReference } from '../../apimachinery/meta/types.js'
import { newKey } from '../../certificates/index.js'
import { type Stored } from '../../controller/index.js'
import {
  certificateIn,
  KUBECONFIG_KEY,
  type KubeconfigMap,
  kubeconfigName,
  kubeconfigText,
} from '../../tenancy/kubeconfigs.js'
import { CONTROLS_NAMESPACE, USERNAME } from '../../tenancy/names.js'
import { type UserObject } from '../../tenancy/types.js'
import { type KubernetesAddress } from '../deps.js'
import { type Credentials, userLabels } from './credentials.js'
import { hasCondition, keyLeftIn, requestName, type SigningRequest, signingRequestFor } from './requests.js'

type User = Readonly<UserObject>

export interface KubeconfigKeeperDeps {
  address: KubernetesAddress
  maps: Stored<KubeconfigMap>
  requests: Stored<SigningRequest>
  credentials: Credentials
  ownerFor: (user: User) => OwnerReference
  now: () => number
}

const HOUR_MS = 3_600_000
/** What is left of a certificate when the next is asked for; less of those that are issued for short times. */
const RENEW_MS = 72 * HOUR_MS
const RENEW_SHARE = 1 / 3
/** Timers are no longer than this; looking again costs little. */
const LONGEST_WAIT_MS = 24 * HOUR_MS
/** The names of the config map and of requests are longer than the user's. */
const MAX_NAME = 253 - '-csr-1234567890'.length

export class KubeconfigKeeper {
  constructor(private readonly deps: KubeconfigKeeperDeps) {}

  /** @returns milliseconds until it has to be looked at again; undefined for users who cannot have one */
  async keep(user: User, signal: AbortSignal): Promise<number | undefined> {
    const { address, maps, ownerFor, now } = this.deps
    const { name = '' } = user.metadata
    if (name.length > MAX_NAME) return undefined
    const map = await this.#mapOf(user, signal)
    if (map === undefined) {
      await maps.create(
        {
          metadata: {
            name: kubeconfigName(name),
            namespace: CONTROLS_NAMESPACE,
            ...userLabels(name),
            ownerReferences: [ownerFor(user)],
          },
          data: { [KUBECONFIG_KEY]: kubeconfigText({ user: name, ...address }) },
        },
        signal,
      )
      return this.#ask(user, false, signal)
    }

    const text = map.data?.[KUBECONFIG_KEY] ?? ''
    const certificate = certificateIn(text)
    const leftMs = certificate ? renewalOf(certificate) - now() : 0
    const isElsewhere = !text.includes(`server: ${address.server}\n`)
    const isTrusted = address.ca === undefined || text.includes(Buffer.from(address.ca).toString('base64'))
    // A key in the config map is moved out of it with the next certificate.
    const isWhole = text.includes('client-key-data')
    if (!certificate || !(leftMs > 0) || !isTrusted || (isElsewhere && isWhole))
      return this.#ask(user, certificate === undefined, signal)
    if (isElsewhere) await this.#move(name, map, certificate.toString(), signal)
    return Math.min(leftMs, LONGEST_WAIT_MS)
  }

  /** Puts a certificate in place of the one there is. @throws Error while there is no config map */
  async install(
    user: User,
    credentials: { certificate: string; key: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { address, maps, ownerFor } = this.deps
    const { name = '' } = user.metadata
    const map = maps.get(kubeconfigName(name), CONTROLS_NAMESPACE)
    if (map === undefined) throw new Error(`there is no kubeconfig of ${name} yet`)
    const { certificate, key } = credentials
    const file = kubeconfigText({ user: name, ...address, certificate, key })
    await this.deps.credentials.keep(name, ownerFor(user), { certificate, key, file }, signal)
    const data = { ...map.data, [KUBECONFIG_KEY]: kubeconfigText({ user: name, ...address, certificate }) }
    await maps.commit(map, { ...map, data }, signal)
  }

  async remove(user: string, signal: AbortSignal): Promise<void> {
    const { maps, credentials } = this.deps
    const map = maps.get(kubeconfigName(user), CONTROLS_NAMESPACE)
    if (map) await maps.delete(map, signal)
    await credentials.delete(user, signal)
  }

  /** That of an earlier user of the name does not count. */
  async #mapOf(user: User, signal: AbortSignal): Promise<Readonly<KubeconfigMap> | undefined> {
    const { maps } = this.deps
    const { name = '', uid } = user.metadata
    const map = maps.get(kubeconfigName(name), CONTROLS_NAMESPACE)
    const owner = map?.metadata.ownerReferences?.find(({ kind }) => kind === 'User')
    if (!map || owner === undefined || owner.uid === uid) return map
    await this.remove(name, signal)
    return undefined
  }

  /** Asks for a certificate, unless one is on its way. */
  async #ask(user: User, isFirst: boolean, signal: AbortSignal): Promise<number> {
    const { requests, credentials, ownerFor, now } = this.deps
    const { name = '' } = user.metadata
    const pending = await credentials.pending(name, signal)
    if (pending && requests.get(pending.request)) return HOUR_MS
    if (isFirst && this.#isOnItsWay(name)) return HOUR_MS

    const next = { key: newKey(), request: requestName(name, now()) }
    await credentials.await(name, ownerFor(user), next, signal)
    try {
      await requests.create(signingRequestFor(name, next, ownerFor(user)), signal)
    } catch (error) {
      // Somebody else's of that very second: the next name is another.
      if (!isAlreadyExists(error)) throw error
      return 1_000
    }
    return HOUR_MS
  }

  /** By what the original had begun. */
  #isOnItsWay(user: string): boolean {
    if (userLabels(user).labels === undefined) return false
    for (const request of this.deps.requests.labelled(USERNAME, user))
      if (keyLeftIn(request) !== undefined && hasCondition(request, 'Approved')) return true
    return false
  }

  async #move(
    name: string,
    map: Readonly<KubeconfigMap>,
    certificate: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { address, maps, credentials } = this.deps
    const fileWith = (kept: object): string => kubeconfigText({ user: name, ...address, ...kept })
    await credentials.replaceFile(name, fileWith, signal)
    await maps.commit(
      map,
      { ...map, data: { ...map.data, [KUBECONFIG_KEY]: fileWith({ certificate }) } },
      signal,
    )
  }
}

/** A signer may have a shorter limit than ours: asking at once again would never end. */
function renewalOf({ validFrom, validTo }: X509Certificate): number {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)]
  return to - Math.min(RENEW_MS, (to - from) * RENEW_SHARE)
}
