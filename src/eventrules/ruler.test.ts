import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silent } from '../client/log.js'
import { LiteralInformers } from '../../test/fixtures/informers.js'
import { EventRuleBook, RULES, type WrittenRule } from './rulebook.js'
import { type EventAlert, watchEvents } from './ruler.js'

const EVENTS = { group: '', version: 'v1', resource: 'events' }
const NAMESPACES = { group: '', version: 'v1', resource: 'namespaces' }
const SHIPPED: WrittenRule = { name: 'Shipped', condition: 'event.reason="BackOff"', enable: true }

let informers: LiteralInformers
let rules: EventRuleBook
let told: EventAlert[]
let now: number
let stop: () => void

beforeEach(async () => {
  informers = new LiteralInformers()
  for (const [name, workspace] of [
    ['kubesphere-system', 'system-workspace'],
    ['blue-shop', 'blue'],
    ['red-shop', 'red'],
  ] as const)
    informers
      .informer(NAMESPACES)
      .put({ metadata: { name, labels: { 'kubesphere.io/workspace': workspace } } })
  rules = new EventRuleBook({ informers, defaults: [SHIPPED], logger: silent })
  told = []
  now = 0
  stop = watchEvents({ informers, rules, tell: (alert) => void told.push(alert), now: () => now })
  await new Promise((resolve) => setImmediate(resolve))
})
afterEach(() => {
  stop()
  rules.close()
})

let written = 0
const happens = (namespace: string, reason: string, involvedObject: object = {}): void =>
  informers.informer(EVENTS).put({
    metadata: { name: `e${++written}`, namespace, creationTimestamp: '2026-11-28T00:00:00Z' },
    reason,
    message: 'it broke',
    firstTimestamp: '2026-11-28T00:00:01Z',
    involvedObject: {
      kind: 'Pod',
      namespace,
      name: 'web-1',
      fieldPath: 'spec.containers{main}',
      ...involvedObject,
    },
  })
const rule = (namespace: string, name: string, reason: string, labels = {}, more: WrittenRule = {}): void =>
  informers.informer(RULES).put({
    metadata: { name, namespace, labels },
    spec: { rules: [{ name, condition: `event.reason="${reason}"`, enable: true, ...more }] },
  })
const heard = (): string[] => told.map(({ labels }) => `${labels['alertname']} ${labels['namespace'] ?? '-'}`)

describe('an Event that a rule is about', () => {
  it('becomes an alert that says what it is about', () => {
    const annotations = { message: '%event.message', summary: 'Oh dear' }
    rule('blue-shop', 'mine', 'Odd', {}, { labels: { severity: 'warning' }, annotations })
    happens('blue-shop', 'Odd')

    expect(told).toEqual([
      {
        status: 'firing',
        labels: {
          severity: 'warning',
          pod: 'web-1',
          container: 'main',
          alertname: 'mine',
          alerttype: 'event',
          namespace: 'blue-shop',
        },
        annotations: { message: 'it broke', summary: 'Oh dear' },
        startsAt: '2026-11-28T00:00:01Z',
      },
    ])
  })

  it('is told again only after an hour', () => {
    happens('blue-shop', 'BackOff')
    now += 3_599_999
    happens('blue-shop', 'BackOff')
    expect(told).toHaveLength(1)

    now += 1
    happens('blue-shop', 'BackOff')
    expect(told).toHaveLength(2)
  })

  it('of a node is about no namespace', () => {
    happens('default', 'BackOff', { kind: 'Node', name: 'n1', namespace: undefined, fieldPath: undefined })

    expect(told[0]?.labels).toEqual({ node: 'n1', alertname: 'Shipped', alerttype: 'event' })
  })
})

describe('rules', () => {
  it('of a project are about that project, whatever scope they claim', () => {
    rule('red-shop', 'greedy', 'Odd', { 'kubesphere.io/rule-scope': 'cluster' })
    rule('red-shop', 'sly', 'Odd', {
      'kubesphere.io/rule-scope': 'workspace',
      'kubesphere.io/workspace': 'blue',
    })
    happens('blue-shop', 'Odd')
    expect(heard()).toEqual([])

    happens('red-shop', 'Odd')
    expect(heard().sort()).toEqual(['greedy red-shop', 'sly red-shop'])
  })

  it('of the platform are about the cluster, or the workspace they name', () => {
    rule('kubesphere-system', 'all', 'Odd', { 'kubesphere.io/rule-scope': 'cluster' })
    rule('kubesphere-system', 'blues', 'Odd', {
      'kubesphere.io/rule-scope': 'workspace',
      'kubesphere.io/workspace': 'blue',
    })
    happens('blue-shop', 'Odd')
    happens('red-shop', 'Odd')

    expect(heard()).toEqual(['all blue-shop', 'blues blue-shop', 'all red-shop'])
  })

  it('and Events do not choose whom an alert goes to', () => {
    rule('red-shop', 'sly', 'Odd', {}, { labels: { namespace: 'blue-shop', alertname: 'X' } })
    happens('red-shop', 'Odd', { kind: 'Namespace', name: 'blue-shop', namespace: 'blue-shop' })

    expect(heard()).toEqual(['sly red-shop'])
  })

  it('that are switched off, or that nobody understands, do not hold up the others', () => {
    rule('blue-shop', 'off', 'Odd', {}, { enable: false })
    rule('blue-shop', 'broken', 'Odd', {}, { condition: 'event.reason=' })
    rule('blue-shop', 'good', 'Odd')
    happens('blue-shop', 'Odd')

    expect(heard()).toEqual(['good blue-shop'])
    expect(rules.broken).toBe(1)
  })

  it('that ship give way to an object of the platform, and to none of a project', () => {
    rule('red-shop', 'cluster-rules-default', 'Other')
    happens('blue-shop', 'BackOff')
    expect(heard()).toEqual(['Shipped blue-shop'])

    rule('kubesphere-system', 'cluster-rules-default', 'Odd', { 'kubesphere.io/rule-scope': 'cluster' })
    happens('red-shop', 'BackOff')
    happens('red-shop', 'Odd')
    expect(heard()).toEqual(['Shipped blue-shop', 'cluster-rules-default red-shop'])
  })
})
