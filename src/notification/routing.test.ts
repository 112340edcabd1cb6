import { beforeEach, describe, expect, it } from 'vitest'
import { LiteralInformers } from '../../test/fixtures/informers.js'
import { firing } from '../../test/fixtures/channeljob.js'
import { type RestClient } from '../client/rest.js'
import { Directory } from './directory.js'
import {
  CONFIGS,
  NOTIFICATION_GROUP,
  NOTIFICATION_MANAGERS,
  RECEIVERS,
  ROUTERS,
  SILENCES,
} from './objects/kinds.js'
import { Router, type TenantsOf } from './routing.js'

const GLOBAL = { type: 'global' }
const ALICE = { type: 'tenant', user: 'alice' }
const WEBHOOK = { webhook: { url: 'http://hook' } }

let informers: LiteralInformers
let directory: Directory
let router: Router
let now: Date
let tenantsOf: TenantsOf

beforeEach(() => {
  informers = new LiteralInformers()
  directory = new Directory({ informers, client: { resource: () => ({}) } as unknown as RestClient })
  now = new Date(2026, 10, 28, 12, 0)
  // Alice is a member of the namespace a.
  tenantsOf = async (namespace, users) => users.filter((user) => user === 'alice' && namespace === 'a')
  router = new Router(
    directory,
    (...args) => tenantsOf(...args),
    () => now,
  )
})

function put(type: typeof RECEIVERS, name: string, labels: Record<string, string>, spec: object): void {
  informers.informer(type).put({
    apiVersion: `${NOTIFICATION_GROUP}/v2beta2`,
    kind: type.kind,
    metadata: { name, labels },
    spec,
  })
}

async function told(alertname: string, labels: object = {}): Promise<string[]> {
  const { to } = await router.route(firing(alertname, { labels }))
  return to
    .filter(({ muted }) => muted === undefined)
    .map(({ target: { receiver, channel } }) => `${receiver}/${channel}`)
    .sort()
}

describe('an alert', () => {
  beforeEach(() => {
    put(RECEIVERS, 'all', GLOBAL, WEBHOOK)
    put(RECEIVERS, 'alices', ALICE, { email: { to: ['alice@example.com'] } })
  })

  it('of a namespace reaches everybody’s receivers and those of its tenants, and of no others', async () => {
    expect(await told('X', { namespace: 'a' })).toEqual(['alices/email', 'all/webhook'])
    expect(await told('X', { namespace: 'b' })).toEqual(['all/webhook'])
  })

  it('without a namespace reaches everybody’s receivers only', async () => {
    expect(await told('X')).toEqual(['all/webhook'])
  })

  it('reaches nobody while tenants cannot be told, and stays accepted', async () => {
    tenantsOf = () => Promise.reject(new Error('not now'))

    await expect(told('X', { namespace: 'a' })).rejects.toThrow('not now')
  })

  it('reaches a receiver whose selector it matches, and none that is switched off', async () => {
    const critical = { matchExpressions: [{ key: 'severity', operator: 'In', values: ['critical'] }] }
    put(RECEIVERS, 'critical', GLOBAL, { webhook: { url: 'http://c', alertSelector: critical } })
    put(RECEIVERS, 'off', GLOBAL, { webhook: { url: 'http://off', enabled: false } })

    expect(await told('X', { severity: 'critical' })).toEqual(['all/webhook', 'critical/webhook'])
    expect(await told('X', { severity: 'warning' })).toEqual(['all/webhook'])
  })

  it('that a silence for everybody matches reaches nobody', async () => {
    put(SILENCES, 'quiet', GLOBAL, { matcher: { matchLabels: { alertname: 'X' } } })
    put(SILENCES, 'no-matcher', GLOBAL, {})

    expect((await router.route(firing('X'))).silenced).toBe(true)
    expect(await told('Y')).toEqual(['all/webhook'])
  })

  it('that a tenant’s silence matches still reaches the others', async () => {
    put(SILENCES, 'quiet', ALICE, { matcher: { matchLabels: { alertname: 'X' } } })

    expect(await told('X', { namespace: 'a' })).toEqual(['all/webhook'])
    expect(await told('Y', { namespace: 'a' })).toEqual(['alices/email', 'all/webhook'])
  })

  it('is silenced for the duration after each time of a schedule, in local time', async () => {
    put(SILENCES, 'nights', GLOBAL, {
      matcher: { matchLabels: { alertname: 'X' } },
      schedule: '0 22 * * *',
      duration: '8h',
    })
    const at = async (hour: number): Promise<boolean> => {
      now = new Date(2026, 10, 28, hour, 0)
      return (await router.route(firing('X'))).silenced
    }

    expect([await at(23), await at(5), await at(7), await at(21)]).toEqual([true, true, false, false])
  })

  it('is silenced from a start on, for good or for a duration', async () => {
    const matcher = { matchLabels: { alertname: 'X' } }
    put(SILENCES, 'once', GLOBAL, { matcher, startsAt: '2026-11-28T10:00:00Z', duration: '1h' })
    put(SILENCES, 'off', GLOBAL, { matcher, enabled: false })
    const at = async (time: string): Promise<boolean> => {
      now = new Date(time)
      return (await router.route(firing('X'))).silenced
    }

    expect(await at('2026-11-28T09:59:00Z')).toBe(false)
    expect(await at('2026-11-28T10:30:00Z')).toBe(true)
    expect(await at('2026-11-28T11:00:00Z')).toBe(false)
  })
})

describe('routers', () => {
  beforeEach(() => {
    put(RECEIVERS, 'all', GLOBAL, WEBHOOK)
    put(RECEIVERS, 'ops', { ...GLOBAL, team: 'ops' }, WEBHOOK)
    put(RECEIVERS, 'alices', ALICE, { ...WEBHOOK, email: { to: ['alice@example.com'] } })
  })
  const policy = (routePolicy: string): void =>
    put(NOTIFICATION_MANAGERS, 'notification-manager', {}, { routePolicy, receivers: {} })
  const route = (receivers: object): void =>
    put(ROUTERS, 'router', GLOBAL, { alertSelector: { matchLabels: { alertname: 'X' } }, receivers })

  it('come first: namespaces count only when no router matches', async () => {
    policy('RouterFirst')
    route({ name: ['ops'] })

    expect(await told('X', { namespace: 'a' })).toEqual(['ops/webhook'])
    expect(await told('Y', { namespace: 'a' })).toEqual([
      'alices/email',
      'alices/webhook',
      'all/webhook',
      'ops/webhook',
    ])
  })

  it('alone decide under RouterOnly', async () => {
    policy('RouterOnly')
    route({ selector: { matchLabels: { team: 'ops' } } })

    expect([await told('X'), await told('Y')]).toEqual([['ops/webhook'], []])
  })

  it('and namespaces together have a receiver told once', async () => {
    policy('All')
    route({ name: ['all'], regexName: '^al' })

    const { to } = await router.route(firing('X'))

    expect(to.filter(({ target }) => target.receiver === 'all')).toHaveLength(1)
  })

  it('choose by name, expression and tenant, each reduced to a type', async () => {
    policy('RouterOnly')
    route({ regexName: 'al', type: 'webhook' })
    expect(await told('X')).toEqual(['alices/webhook', 'all/webhook'])
    route({ channels: [{ tenant: 'alice', type: ['email'] }] })
    expect(await told('X')).toEqual(['alices/email'])
    put(ROUTERS, 'router', GLOBAL, { enabled: false, alertSelector: {}, receivers: { name: ['all'] } })
    expect(await told('X')).toEqual([])
  })
})

describe('accounts', () => {
  const mail = (from: string) => ({ email: { from, smartHost: { host: 'smtp', port: 25 } } })
  const from = (labels: Record<string, string>, email: Record<string, unknown> = {}): unknown => {
    const tenant = labels['user'] ?? ''
    return directory.configFor({ receiver: 'r', channel: 'email', tenant, labels, spec: email })?.['from']
  }
  const selector = { emailConfigSelector: { matchLabels: { zone: 'north' } } }

  it('of the platform serve tenants who have none, whatever they select by', () => {
    put(CONFIGS, 'default', { type: 'default' }, mail('platform'))

    expect(from(ALICE, selector)).toBe('platform')
    expect(from(GLOBAL, selector)).toBeUndefined()
  })

  it('with the lowest priority come first, and those without one last', () => {
    put(CONFIGS, 'a', { type: 'default' }, mail('none'))
    put(CONFIGS, 'b', { type: 'default', priority: '2' }, mail('two'))
    put(CONFIGS, 'c', { type: 'default', priority: '1' }, mail('one'))

    expect(from(GLOBAL)).toBe('one')
  })

  it('of tenants are for nobody else', () => {
    put(CONFIGS, 'alices', ALICE, mail('alice'))

    expect([from(ALICE), from(GLOBAL), from({ type: 'tenant', user: 'bob' })]).toEqual([
      'alice',
      undefined,
      undefined,
    ])
  })

  it('that are not complete are none', () => {
    put(CONFIGS, 'default', { type: 'default' }, { email: { from: 'no host' } })

    expect(from(GLOBAL)).toBeUndefined()
  })

  it('have an owner by one label of several', () => {
    put(
      NOTIFICATION_MANAGERS,
      'notification-manager',
      {},
      {
        receivers: { globalReceiverSelector: { matchLabels: { type: 'global', kind: 'x' } } },
      },
    )

    expect(directory.ownerOf({ metadata: { name: 'r', labels: { kind: 'x' } } })).toBe('')
    expect(directory.ownerOf({ metadata: { name: 'r', labels: {} } })).toBeUndefined()
  })
})
