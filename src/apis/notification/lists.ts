/** Reads: pages of what one owner has, and single objects. */
import { notFound, StatusError } from '../../apimachinery/errors/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type CachedObject } from '../../client/cache/interface.js'
import { listPage } from '../../listing/engine.js'
import { type Source } from '../../listing/kind.js'
import { findKind } from '../../listing/kinds/index.js'
import { pageReply } from '../../listing/page.js'
import { parseListQuery } from '../../listing/query.js'
import { type KindStores } from '../../listing/stores.js'
import { type Client, type Reply } from '../../serving/route.js'
import { globalTypeOf, TYPE_LABEL, USER_LABEL } from '../../notification/objects/kinds.js'
import { type Resources } from './deps.js'
import { type NotificationKind, type Version } from './kinds.js'
import { demandOwner, ownedSelector, type Owner } from './ownership.js'
import { hasChannel, shown } from './shape.js'

export class Lists {
  constructor(
    private readonly stores: KindStores,
    private readonly resources: Resources,
    private readonly version: Version,
  ) {}

  async page(kind: NotificationKind, owner: Owner, params: URLSearchParams, client: Client): Promise<Reply> {
    const { resource } = kind.type
    const listed = findKind(resource, kind.namespace !== '')
    if (!listed) throw new StatusError({ code: 500, reason: '', message: `no lists of ${resource}` })
    await this.stores.ready([resource], client)
    const query = parseListQuery(params)
    const channel = kind.convertible ? (params.get('type') ?? '') : ''
    query.labelSelector = ownedSelector(kind, owner, query.labelSelector)
    // These are no filters here; and of a secret, `type` is a field that other lists filter by.
    query.filters.delete('type')
    const store = this.stores.of<never>(listed)
    const chosen = this.#chosen(store, kind, owner, channel)
    const { items, total } = listPage(listed, query, kind.namespace || undefined, this.stores, chosen)
    return pageReply({ items: items.map((item) => this.#rendered(kind, item, channel)), total })
  }

  /** @throws StatusError 403, 404 */
  async get(kind: NotificationKind, owner: Owner, name: string, channel: string): Promise<KubeObject> {
    const resource = this.resources(kind.type)
    await resource.pending()
    const stored = resource.require(name, kind.namespace)
    demandOwner(kind, stored.metadata, owner)
    const object = shown(kind, stored, this.version, kind.convertible ? channel : '')
    if (object === undefined)
      throw notFound({ group: kind.type.group, resource: kind.type.singular ?? '' }, name)
    return object
  }

  /** Through the index of one label: an owner has few of all objects there are. */
  #chosen(
    store: ReturnType<KindStores['of']>,
    kind: NotificationKind,
    owner: Owner,
    channel: string,
  ): Source<never> {
    const all =
      owner !== undefined
        ? store.byLabel(USER_LABEL, owner)
        : kind.unlabelled
          ? store.byName()
          : store.byLabel(TYPE_LABEL, globalTypeOf(kind.type.resource))
    const objects: CachedObject<never>[] = []
    for (const cached of all as Iterable<CachedObject<never>>) {
      if (kind.namespace !== '' && cached.namespace !== kind.namespace) continue
      if (channel !== '' && !hasChannel(store.object(cached), channel)) continue
      objects.push(cached)
    }
    return { objects, consumed: [], selectable: true }
  }

  #rendered(kind: NotificationKind, bytes: Uint8Array, channel: string): Uint8Array {
    if (kind.type.group === '') return bytes
    const object = JSON.parse(Buffer.from(bytes).toString('utf8')) as KubeObject
    return Buffer.from(JSON.stringify(shown(kind, object, this.version, channel)))
  }
}
