/**
 * What the manager knows: receivers, configs, silences and routers with their owners, read from caches, and the
 * secrets and templates they name, read when a message is sent.
 */
import { selectorFromLabelSelector } from '../apimachinery/labels/index.js'
import { isObject } from '../apimachinery/json/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type InformerSet } from '../client/cache/interface.js'
import { CachedResource, type CachedResourceType } from '../client/cachedresource.js'
import { type RestClient } from '../client/rest.js'
import {
  CONFIG_MAPS,
  CONFIGS,
  NOTIFICATION_MANAGERS,
  NOTIFICATION_NAMESPACE,
  RECEIVERS,
  ROUTERS,
  SECRETS,
  SILENCES,
} from './objects/kinds.js'
import {
  type Channel,
  CHANNELS,
  type ChannelSpec,
  type ConfigMapKeyRef,
  type ManagerSpec,
  type NotificationObject,
} from './objects/types.js'

/** "" is the owner of what is everybody's. */
export interface Target {
  receiver: string
  channel: Channel
  spec: ChannelSpec
  tenant: string
  labels: Readonly<Record<string, string>>
}

const DEFAULTS: Required<Pick<ManagerSpec, 'groupLabels' | 'defaultSecretNamespace'>> = {
  groupLabels: ['alertname', 'namespace'],
  defaultSecretNamespace: NOTIFICATION_NAMESPACE,
}

/** Without a label `priority`, or with one that is no number. */
const LAST = 2_147_483_646

export class Directory {
  readonly #of: (type: CachedResourceType) => CachedResource<NotificationObject>
  readonly #client: RestClient
  /** Of each owner, in order, until something changes. */
  #accounts: { revision: string; by: ReadonlyMap<string, readonly Readonly<NotificationObject>[]> } = {
    revision: '',
    by: new Map(),
  }

  constructor({ informers, client }: { informers: InformerSet; client: RestClient }) {
    const made = new Map<string, CachedResource<NotificationObject>>()
    this.#client = client
    this.#of = (type) => {
      const resource =
        made.get(type.resource) ?? new CachedResource<NotificationObject>(type, informers, client)
      made.set(type.resource, resource)
      return resource
    }
    for (const type of [CONFIGS, RECEIVERS, ROUTERS, SILENCES, NOTIFICATION_MANAGERS]) this.#of(type)
  }

  async ready(): Promise<void> {
    for (const type of [CONFIGS, RECEIVERS, ROUTERS, SILENCES, NOTIFICATION_MANAGERS])
      await this.#of(type).pending()
  }

  /** Goes up with every change of what targets, silences and routers are made from. */
  get revision(): string {
    return [RECEIVERS, ROUTERS, SILENCES, NOTIFICATION_MANAGERS]
      .map((type) => this.#of(type).informer.store.revision)
      .join(' ')
  }

  manager(): ManagerSpec & typeof DEFAULTS {
    const [found] = [...this.#of(NOTIFICATION_MANAGERS).list()]
    return { ...DEFAULTS, ...(found?.spec as ManagerSpec | undefined) }
  }

  /** As the manager's options name it; "" when they do not. */
  clusterName(): string {
    const name = this.manager().receivers?.options?.['global']?.['cluster']
    return typeof name === 'string' ? name : ''
  }

  /** @returns undefined for an object that is nobody's */
  ownerOf({ metadata: { labels = {} } }: Readonly<KubeObject>): string | undefined {
    const { receivers = {}, defaultConfigSelector } = this.manager()
    const key = receivers.tenantKey ?? 'user'
    const has = (wanted: Readonly<Record<string, string>>): boolean =>
      Object.entries(wanted).some(([name, value]) => labels[name] === value)
    if (has(receivers.globalReceiverSelector?.matchLabels ?? { type: 'global' })) return ''
    if (has(receivers.tenantReceiverSelector?.matchLabels ?? { type: 'tenant' }) && labels[key] !== undefined)
      return labels[key]
    const preset = selectorFromLabelSelector(defaultConfigSelector ?? { matchLabels: { type: 'default' } })
    return preset.matches(labels) ? '' : undefined
  }

  /** Of one tenant, of everybody (""), or all. Channels that are switched off are left out. */
  targets(tenant?: string): Target[] {
    return [...this.#of(RECEIVERS).list()].flatMap((receiver) => {
      const owner = this.ownerOf(receiver)
      return owner === undefined || (tenant !== undefined && owner !== tenant)
        ? []
        : targetsOf(receiver, owner)
    })
  }

  /** As it is now. */
  target(receiver: string, channel: string): Target | undefined {
    const found = this.#of(RECEIVERS).get(receiver)
    const owner = found && this.ownerOf(found)
    return owner === undefined
      ? undefined
      : targetsOf(found as NotificationObject, owner).find((one) => one.channel === channel)
  }

  silences(tenant: string): Readonly<NotificationObject>[] {
    return [...this.#of(SILENCES).list()].filter((silence) => this.ownerOf(silence) === tenant)
  }

  /** Routers are everybody's, whatever their labels say: tenants cannot make any. */
  routers(): Readonly<NotificationObject>[] {
    return [...this.#of(ROUTERS).list()].filter(({ spec }) => spec?.['enabled'] !== false)
  }

  /** The account to send with; `owned` when it is the tenant's own. */
  configFor({ channel, tenant, spec }: Target): Record<string, unknown> | undefined {
    const selector = spec[`${channel}ConfigSelector`]
    const matches = selectorFromLabelSelector(isObject(selector) ? selector : {})
    const selected = ({ metadata }: Readonly<NotificationObject>): boolean => matches.matches(metadata.labels)
    const ofTenant = tenant === '' ? undefined : this.#configs(channel, tenant).find(selected)
    if (ofTenant) return { ...(ofTenant.spec?.[channel] as object), owned: true }
    // Tenants who have none use the platform's, whatever they select by.
    const preset = this.#configs(channel, '').find((config) => tenant !== '' || selected(config))
    return preset && { ...(preset.spec?.[channel] as object), owned: false }
  }

  /** Complete ones, first those to prefer. */
  #configs(channel: Channel, owner: string): readonly Readonly<NotificationObject>[] {
    const revision = [CONFIGS, NOTIFICATION_MANAGERS]
      .map((type) => this.#of(type).informer.store.revision)
      .join(' ')
    if (this.#accounts.revision !== revision) this.#accounts = { revision, by: this.#accountsByOwner() }
    return this.#accounts.by.get(`${channel}/${owner}`) ?? []
  }

  /** Of everybody; the owner of one that all use is "". */
  accounts(): { name: string; channel: Channel; tenant: string; spec: object }[] {
    return [...this.#of(CONFIGS).list()].flatMap((config) => {
      const tenant = this.ownerOf(config)
      if (tenant === undefined) return []
      return CHANNELS.flatMap((channel) => {
        const spec = config.spec?.[channel]
        return isObject(spec) ? [{ name: config.metadata.name ?? '', channel, tenant, spec }] : []
      })
    })
  }

  #accountsByOwner(): Map<string, Readonly<NotificationObject>[]> {
    const by = new Map<string, Readonly<NotificationObject>[]>()
    const all = [...this.#of(CONFIGS).list()].sort(
      (a, b) => priority(a) - priority(b) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1),
    )
    for (const config of all) {
      const owner = this.ownerOf(config)
      if (owner === undefined) continue
      for (const channel of CHANNELS) {
        if (!isComplete(channel, config.spec?.[channel])) continue
        const key = `${channel}/${owner}`
        const known = by.get(key)
        if (known) known.push(config)
        else by.set(key, [config])
      }
    }
    return by
  }

  /**
   * @param owner of the object that names the secret: a tenant's own secrets only, so that nobody has a credential of
   * somebody else sent to a server of theirs
   * @throws Error when it is not there, or not the owner's
   */
  async credential(of: unknown, owner: string): Promise<string> {
    if (!isObject(of)) return ''
    if (typeof of['value'] === 'string' && of['value'] !== '') return of['value']
    const reference = isObject(of['valueFrom']) ? of['valueFrom']['secretKeyRef'] : undefined
    if (!isObject(reference)) return ''
    const data = await this.#data(SECRETS, reference as unknown as ConfigMapKeyRef, owner)
    const encoded = data[String(reference['key'])]
    return encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8')
  }

  /** @throws Error when it is not there, or not the owner's */
  async configMap(reference: ConfigMapKeyRef, owner: string): Promise<string[]> {
    const data = await this.#data(CONFIG_MAPS, reference, owner)
    if (reference.key !== undefined && reference.key !== '') return [data[reference.key] ?? '']
    return Object.keys(data)
      .sort()
      .map((key) => data[key] ?? '')
  }

  async #data(
    type: CachedResourceType,
    { namespace, name }: ConfigMapKeyRef,
    owner: string,
  ): Promise<Readonly<Record<string, string>>> {
    const own = this.manager().defaultSecretNamespace
    const where = namespace || own
    const found = await this.#client.resource(type).get(name, { namespace: where })
    const isOwn = where === own && this.ownerOf(found) === owner
    if (owner !== '' && !isOwn) throw new Error(`the ${type.singular} ${name} is not one of ${owner}`)
    return isObject(found['data']) ? (found['data'] as Record<string, string>) : {}
  }
}

/** Each channel of a receiver is a target of its own. */
export function targetsOf({ metadata, spec = {} }: Readonly<NotificationObject>, tenant: string): Target[] {
  return CHANNELS.flatMap((channel) => {
    const part = spec[channel]
    if (!isObject(part) || part['enabled'] === false) return []
    return [{ receiver: metadata.name ?? '', channel, spec: part, tenant, labels: metadata.labels ?? {} }]
  })
}

const NEEDED: Partial<Record<Channel, readonly string[]>> = {
  email: ['from', 'smartHost'],
  slack: ['slackTokenSecret'],
  wechat: ['wechatApiCorpId', 'wechatApiAgentId', 'wechatApiSecret'],
  pushover: ['pushoverTokenSecret'],
  telegram: ['telegramTokenSecret'],
  feishu: ['appID', 'appSecret'],
  dingtalk: ['conversation'],
  sms: ['providers'],
}

function isComplete(channel: Channel, spec: unknown): boolean {
  return (
    isObject(spec) &&
    (NEEDED[channel] ?? []).every((field) => spec[field] !== undefined && spec[field] !== '')
  )
}

function priority({ metadata }: Readonly<KubeObject>): number {
  const text = metadata.labels?.['priority'] ?? ''
  return /^-?\d+$/.test(text) ? Number(text) : LAST
}
