/**
 * The secret of a user's kubeconfig: the key in use, and the key that a certificate has been asked for.
 *
 * It is also the record of the requests that are ours: a signing request is approved only for the key that waits here.
 * The original put the key into the request, for everybody to read, and approved whatever carried a label.
 */
import { isNotFound } from '../../apimachinery/errors/index.js'
import { type OwnerReference } from '../../apimachinery/meta/types.js'
import { type ResourceClient } from '../../client/rest.js'
import {
  CERTIFICATE_KEY,
  credentialsIn,
  KUBECONFIG_KEY,
  kubeconfigName,
  type KubeconfigSecret,
  PRIVATE_KEY_KEY,
} from '../../tenancy/kubeconfigs.js'
import { CONTROLS_NAMESPACE, USERNAME } from '../../tenancy/names.js'

/** A key without a certificate, and the request for one. */
export interface Pending {
  request: string
  /** PEM. */
  key: string
}

const NEXT_KEY = 'next.key'
const NEXT_REQUEST = 'next.request'
/** Longest label value. */
const MAX_LABEL = 63

export const SECRETS = { group: '', version: 'v1', resource: 'secrets', kind: 'Secret' }

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const textOf = (value: string): string => Buffer.from(value, 'base64').toString('utf8')

/** The label by which the belongings of a user are found; none for names that no label can hold. */
export function userLabels(user: string): { labels?: Record<string, string> } {
  return user.length > MAX_LABEL ? {} : { labels: { [USERNAME]: user } }
}

export class Credentials {
  constructor(private readonly secrets: ResourceClient<KubeconfigSecret>) {}

  async pending(user: string, signal: AbortSignal): Promise<Pending | undefined> {
    const { [NEXT_KEY]: key, [NEXT_REQUEST]: request } = (await this.#read(user, signal))?.data ?? {}
    return key === undefined || request === undefined
      ? undefined
      : { key: textOf(key), request: textOf(request) }
  }

  /** In place of what has been pending. */
  async await(
    user: string,
    owner: OwnerReference,
    { request, key }: Pending,
    signal: AbortSignal,
  ): Promise<void> {
    const data = { [NEXT_KEY]: base64(key), [NEXT_REQUEST]: base64(request) }
    await this.#write(user, owner, data, signal)
  }

  /** Certificate and key belong together; `file` is the kubeconfig with both. Nothing is pending afterwards. */
  async keep(
    user: string,
    owner: OwnerReference,
    { certificate, key, file }: { certificate: string; key: string; file: string },
    signal: AbortSignal,
  ): Promise<void> {
    const data = {
      [CERTIFICATE_KEY]: base64(certificate),
      [PRIVATE_KEY_KEY]: base64(key),
      [KUBECONFIG_KEY]: base64(file),
      [NEXT_KEY]: null,
      [NEXT_REQUEST]: null,
    }
    await this.#write(user, owner, data, signal)
  }

  /** For when the cluster is reached elsewhere; nothing when there is no certificate yet. */
  async replaceFile(
    user: string,
    fileWith: (credentials: { certificate: string; key: string }) => string,
    signal: AbortSignal,
  ): Promise<void> {
    const secret = await this.#read(user, signal)
    const credentials = secret && credentialsIn(secret)
    if (!credentials) return
    const data = { [KUBECONFIG_KEY]: base64(fileWith(credentials)) }
    await this.secrets.patch(
      kubeconfigName(user),
      'merge',
      { data },
      { namespace: CONTROLS_NAMESPACE, signal },
    )
  }

  async delete(user: string, signal: AbortSignal): Promise<void> {
    try {
      await this.secrets.delete(kubeconfigName(user), { namespace: CONTROLS_NAMESPACE, signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  async #read(user: string, signal: AbortSignal): Promise<KubeconfigSecret | undefined> {
    try {
      return await this.secrets.get(kubeconfigName(user), { namespace: CONTROLS_NAMESPACE, signal })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async #write(
    user: string,
    owner: OwnerReference,
    data: Record<string, string | null>,
    signal: AbortSignal,
  ): Promise<void> {
    const name = kubeconfigName(user)
    const existing = await this.#read(user, signal)
    const isOurs = existing?.metadata.ownerReferences?.some(({ uid }) => uid === owner.uid)
    if (existing && isOurs) {
      const { uid, resourceVersion } = existing.metadata
      const patch = { metadata: { uid, resourceVersion }, data }
      await this.secrets.patch(name, 'merge', patch, { namespace: CONTROLS_NAMESPACE, signal })
      return
    }
    // Of an earlier user of that name, or nobody's.
    if (existing) await this.delete(user, signal)
    const given = Object.entries(data).filter((entry): entry is [string, string] => entry[1] !== null)
    await this.secrets.create(
      {
        metadata: { name, namespace: CONTROLS_NAMESPACE, ...userLabels(user), ownerReferences: [owner] },
        type: 'Opaque',
        data: Object.fromEntries(given),
      },
      { signal },
    )
  }
}
