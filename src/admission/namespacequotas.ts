/**
 * The quotas of Kubernetes itself, where nothing else counts for them: what is used comes from caches, and from what was
 * admitted and is not in a cache yet. They are checked, never written.
 */
import { type KubeObject } from '../apimachinery/meta/types.js'
import { InvalidQuantity } from '../apimachinery/quantity/index.js'
import { type CachedResource } from '../client/cachedresource.js'
import {
  add,
  type Amounts,
  type CountedObjects,
  type GroupResource,
  type NamespaceQuotaObject,
  type Quota,
  quotaOfNamespace,
  resourcesOf,
  usageIn,
} from '../tenancy/quota/index.js'

type QuotaObject = Readonly<NamespaceQuotaObject>

interface CountedQuota extends Quota {
  uid: string
}

interface Expected {
  type: GroupResource
  namespace: string
  name: string
  delta: Amounts
  until: number
}

/** How long an admitted object may be on its way to the cache. */
const ON_ITS_WAY_MS = 2_000

export interface NamespaceQuotasDeps {
  quotas: CachedResource<NamespaceQuotaObject>
  objects: CountedObjects
  now: () => number
}

export class NamespaceQuotas {
  /** By the uid of the quota. */
  readonly #expected = new Map<string, Expected[]>()

  constructor(private readonly deps: NamespaceQuotasDeps) {}

  async in(namespace: string): Promise<QuotaObject[]> {
    await this.deps.quotas.pending()
    return [...this.deps.quotas.list(namespace)]
  }

  /** With what is used now; without those that cannot be read. */
  async counted(quotas: readonly QuotaObject[], signal: AbortSignal): Promise<CountedQuota[]> {
    const { objects, now } = this.deps
    const result: CountedQuota[] = []
    for (const object of quotas) {
      const { namespace = '', uid = '' } = object.metadata
      try {
        const quota = quotaOfNamespace(object)
        await objects.ready(resourcesOf(quota.hard.keys()), signal)
        let used: Amounts = usageIn(namespace, quota, objects.in, now())
        for (const { delta } of this.#onTheirWay(uid)) used = add(used, delta)
        result.push({ ...quota, used, uid })
      } catch (error) {
        if (!(error instanceof InvalidQuantity)) throw error
      }
    }
    return result
  }

  /** Counts an admitted object until the cache has it. */
  expect(
    type: GroupResource,
    { metadata: { namespace = '', name = '' } }: Readonly<KubeObject>,
    charges: readonly { quota: Quota | CountedQuota; delta: Amounts }[],
  ): void {
    for (const { quota, delta } of charges) {
      if (!('uid' in quota)) continue
      const expected = { type, namespace, name, delta, until: this.deps.now() + ON_ITS_WAY_MS }
      this.#expected.set(quota.uid, [...this.#onTheirWay(quota.uid), expected])
    }
  }

  #onTheirWay(uid: string): Expected[] {
    const now = this.deps.now()
    const left = (this.#expected.get(uid) ?? []).filter(
      ({ type, namespace, name, until }) =>
        until > now && (name === '' || !this.deps.objects.has(type, namespace, name)),
    )
    if (left.length > 0) this.#expected.set(uid, left)
    else this.#expected.delete(uid)
    return left
  }
}
