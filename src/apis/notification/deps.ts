/** What the routes of notification.kubesphere.io are given. */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type InformerSet } from '../../client/cache/interface.js'
import { CachedResource, type CachedResourceType } from '../../client/cachedresource.js'
import { type RestClient } from '../../client/rest.js'
import { type KindStores } from '../../listing/stores.js'

export interface NotificationDeps {
  informers: InformerSet
  client: RestClient
  stores: KindStores
  verifier: Verifier
}

/** Sends a test message. */
export interface Verifier {
  /** @param body `{"receiver", "config"?}` as the client sent it. @throws when the manager does not answer */
  verify(body: Uint8Array, signal: AbortSignal): Promise<VerifyAnswer>
}

/** `Status` is what clients look at: 200 when the message was sent. */
export interface VerifyAnswer {
  Status: number
  Message: string
}

export type Resources = (type: CachedResourceType) => CachedResource<KubeObject>

export function resourcesOf({ informers, client }: NotificationDeps): Resources {
  const made = new Map<string, CachedResource<KubeObject>>()
  return (type) => {
    const resource = made.get(type.resource) ?? new CachedResource<KubeObject>(type, informers, client)
    made.set(type.resource, resource)
    return resource
  }
}
