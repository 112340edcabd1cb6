import { describe, expect, it } from 'vitest'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { InvalidQuantity } from '../../apimachinery/quantity/index.js'
import { type WorkspaceQuotaObject } from '../types.js'
import {
  amountsFrom,
  evaluatorOf,
  judge,
  quotaOfNamespace,
  quotaOfWorkspace,
  quotaStatus,
  QuotaSelectors,
  resourcesOf,
  selectsNamespace,
  written,
} from './index.js'

const NOW = Date.parse('2026-01-01T12:00:00Z')
const PODS = { group: '', resource: 'pods' }
const SERVICES = { group: '', resource: 'services' }
const CLAIMS = { group: '', resource: 'persistentvolumeclaims' }

interface ContainerOptions {
  requests?: Record<string, string>
  limits?: Record<string, string>
  restartPolicy?: string
}

const container = ({ restartPolicy, ...resources }: ContainerOptions = {}) => ({
  name: 'c',
  resources,
  ...(restartPolicy !== undefined && { restartPolicy }),
})
const pod = (containers: object[] = [container()], spec: object = {}, rest: object = {}): KubeObject => ({
  metadata: { name: 'p' },
  spec: { containers, ...spec },
  ...rest,
})
const service = (spec: object): KubeObject => ({ metadata: { name: 's' }, spec })
const claim = (spec: object, rest: object = {}): KubeObject => ({ metadata: { name: 'c' }, spec, ...rest })

const usage = (type: typeof PODS, object: KubeObject): Record<string, string> =>
  written(evaluatorOf(type).usage(object, NOW))

describe('what a pod takes', () => {
  it('is the sum of its containers, under all names that quotas use', () => {
    const two = [
      container({ requests: { cpu: '100m', memory: '1Gi' }, limits: { cpu: '1' } }),
      container({ requests: { cpu: '400m' }, limits: { cpu: '500m', memory: '2Gi' } }),
    ]

    expect(usage(PODS, pod(two))).toEqual({
      pods: '1',
      'count/pods': '1',
      cpu: '500m',
      'requests.cpu': '500m',
      memory: '3Gi',
      'requests.memory': '3Gi',
      'limits.cpu': '1500m',
      'limits.memory': '2Gi',
    })
  })

  it('is at least what the largest of its init containers takes, beside those that stay', () => {
    const initContainers = [
      container({ requests: { cpu: '100m' }, restartPolicy: 'Always' }),
      container({ requests: { cpu: '3' } }),
    ]
    const of = pod([container({ requests: { cpu: '1' } })], { initContainers })

    expect(usage(PODS, of)).toMatchObject({ 'requests.cpu': '3100m' })
  })

  it('includes its overhead, and devices by their own names', () => {
    const of = pod([container({ limits: { 'nvidia.com/gpu': '2' } })], { overhead: { cpu: '250m' } })

    expect(usage(PODS, of)).toMatchObject({ 'requests.cpu': '250m', 'requests.nvidia.com/gpu': '2' })
  })

  it.each([
    [
      'it has succeeded',
      pod([container({ requests: { cpu: '1' } })], {}, { status: { phase: 'Succeeded' } }),
    ],
    ['it has failed', pod(undefined, {}, { status: { phase: 'Failed' } })],
    [
      'it should be gone',
      pod(
        undefined,
        {},
        {
          metadata: { name: 'p', deletionTimestamp: '2026-01-01T11:00:00Z', deletionGracePeriodSeconds: 30 },
        },
      ),
    ],
  ])('is only that it is there when %s', (_, of) => {
    expect(usage(PODS, of)).toEqual({ 'count/pods': '1' })
  })

  it('that nobody can read is an error', () => {
    expect(() => usage(PODS, pod([container({ requests: { cpu: 'much' } })]))).toThrow(InvalidQuantity)
  })
})

describe('what other objects take', () => {
  it.each([
    [{ type: 'ClusterIP', ports: [{}] }, {}],
    [{ type: 'NodePort', ports: [{}, {}] }, { 'services.nodeports': '2' }],
    [
      { type: 'LoadBalancer', ports: [{}] },
      { 'services.loadbalancers': '1', 'services.nodeports': '1' },
    ],
    [
      { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports: [{}, { nodePort: 30_000 }] },
      { 'services.loadbalancers': '1', 'services.nodeports': '1' },
    ],
  ])('a service %j', (spec, more) => {
    expect(usage(SERVICES, service(spec))).toEqual({ services: '1', 'count/services': '1', ...more })
  })

  it('a claim takes what it asks for, of its class too, or what it was given when that is more', () => {
    const spec = { storageClassName: 'gold', resources: { requests: { storage: '1Gi' } } }
    const class_ = 'gold.storageclass.storage.k8s.io'

    expect(usage(CLAIMS, claim(spec))).toEqual({
      persistentvolumeclaims: '1',
      'count/persistentvolumeclaims': '1',
      'requests.storage': '1Gi',
      [`${class_}/persistentvolumeclaims`]: '1',
      [`${class_}/requests.storage`]: '1Gi',
    })
    expect(usage(CLAIMS, claim(spec, { status: { capacity: { storage: '4Gi' } } }))).toMatchObject({
      'requests.storage': '4Gi',
    })
  })

  it('anything else is counted', () => {
    expect(usage({ group: 'apps', resource: 'deployments' }, claim({}))).toEqual({
      'count/deployments.apps': '1',
    })
    expect(usage({ group: '', resource: 'secrets' }, claim({}))).toEqual({
      'count/secrets': '1',
      secrets: '1',
    })
  })
})

it('the names of a quota say which objects it is about', () => {
  const names = [
    'requests.cpu',
    'limits.memory',
    'services.loadbalancers',
    'gold.storageclass.storage.k8s.io/requests.storage',
    'configmaps',
    'count/widgets.example.com',
    'nonsense',
  ]

  expect(resourcesOf(names)).toEqual([
    PODS,
    SERVICES,
    CLAIMS,
    { group: '', resource: 'configmaps' },
    { group: 'example.com', resource: 'widgets' },
  ])
})

const quota = (hard: Record<string, string>, used?: Record<string, string>, more: object = {}) =>
  quotaOfWorkspace({
    metadata: { name: 'q' },
    spec: { quota: { hard, ...more } },
    ...(used && { status: { total: { used } } }),
  })
const ask = (object: KubeObject, ...quotas: ReturnType<typeof quota>[]) =>
  judge({ type: PODS, object, quotas, now: NOW })

/** What is used afterwards, and what it adds. */
const charged = (verdict: ReturnType<typeof ask>) =>
  verdict.refusal === undefined
    ? verdict.charges.map(({ used, delta }) => [written(used), written(delta)])
    : verdict.refusal

describe('one more object', () => {
  it('fits, and says what is used afterwards', () => {
    const verdict = ask(pod(), quota({ pods: '2' }, { pods: '1' }))

    expect(verdict.refusal).toBeUndefined()
    expect(charged(verdict)).toEqual([[{ pods: '2' }, { pods: '1' }]])
  })

  it('does not fit into one of several, and takes nothing of the others', () => {
    const large = container({ requests: { cpu: '2' } })

    expect(
      ask(
        pod([large]),
        quota({ pods: '9' }, { pods: '1' }),
        quota({ 'requests.cpu': '4' }, { 'requests.cpu': '3' }),
      ),
    ).toEqual({
      refusal: 'exceeded quota: q, requested: requests.cpu=2, used: requests.cpu=3, limited: requests.cpu=4',
    })
  })

  it('must say what it takes of what is limited, in every container', () => {
    const said = container({ requests: { cpu: '1' }, limits: { memory: '1Gi' } })
    const limits = { 'requests.cpu': '9', 'limits.memory': '9Gi' }

    expect(
      ask(pod([said, container()]), quota(limits, { 'requests.cpu': '0', 'limits.memory': '0' })).refusal,
    ).toBe('failed quota: q: must specify limits.memory,requests.cpu')
  })

  it('waits until the quota has been counted', () => {
    expect(ask(pod(), quota({ pods: '9' })).refusal).toBe('status unknown for quota: q')
    expect(ask(pod(), quota({ pods: '9' }, { services: '1' })).refusal).toBe('status unknown for quota: q')
  })

  it('is none of the business of a quota about other things', () => {
    expect(ask(pod(), quota({ services: '0' }))).toEqual({ charges: [] })
  })

  it.each([
    [['BestEffort'], pod(), true],
    [['NotBestEffort'], pod(), false],
    [['Terminating'], pod(undefined, { activeDeadlineSeconds: 5 }), true],
    [['NotTerminating'], pod(undefined, { activeDeadlineSeconds: 5 }), false],
    [['Unheard'], pod(), false],
  ])('counts in the scope %j as it should', (scopes, object, counts) => {
    const verdict = ask(object, quota({ pods: '0' }, { pods: '0' }, { scopes }))

    expect(verdict.refusal !== undefined).toBe(counts)
  })

  it('counts by its priority class', () => {
    const scopeSelector = {
      matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }],
    }
    const counted = (priorityClassName: string) =>
      ask(pod(undefined, { priorityClassName }), quota({ pods: '0' }, { pods: '0' }, { scopeSelector }))

    expect(counted('high').refusal).toBeDefined()
    expect(counted('low').refusal).toBeUndefined()
  })
})

describe('a change of an object', () => {
  const change = (from: string, to: string, used: string) =>
    judge({
      type: CLAIMS,
      object: claim({ resources: { requests: { storage: to } } }),
      before: claim({ resources: { requests: { storage: from } } }),
      quotas: [quota({ 'requests.storage': '10Gi' }, { 'requests.storage': used })],
      now: NOW,
    })

  it('is judged by what it adds', () => {
    expect(change('4Gi', '6Gi', '8Gi').refusal).toBeUndefined()
    expect(change('4Gi', '7Gi', '8Gi').refusal).toContain('requested: requests.storage=3Gi')
  })

  it('that gives back passes, however much too much there was', () => {
    expect(charged(change('4Gi', '1Gi', '50Gi'))).toEqual([
      [{ 'requests.storage': '47Gi' }, { 'requests.storage': '-3Gi' }],
    ])
  })
})

it('a quota of a namespace reads like one of a workspace', () => {
  const { name, hard, used } = quotaOfNamespace({
    metadata: { name: 'n' },
    spec: { hard: { pods: 2 } },
    status: { used: { pods: '1' } },
  })

  expect([name, written(hard), written(used ?? new Map())]).toEqual(['n', { pods: '2' }, { pods: '1' }])
})

describe('the status of a quota', () => {
  it('is a slice for each namespace and their sum; unknown names are 0', () => {
    const object: WorkspaceQuotaObject = {
      metadata: { name: 'q' },
      spec: { quota: { hard: { pods: '9', 'limits.cpu': '4000m', nonsense: '1' } } },
    }
    const inside: Record<string, KubeObject[]> = {
      a: [pod([container({ limits: { cpu: '500m' } })])],
      b: [pod([container({ limits: { cpu: '1' } })]), pod()],
    }

    const status = quotaStatus(object, ['a', 'b'], (_, namespace) => inside[namespace] ?? [], NOW)

    const hard = { pods: '9', 'limits.cpu': '4', nonsense: '1' }
    expect(status).toEqual({
      total: { hard, used: { pods: '3', 'limits.cpu': '1500m', nonsense: '0' } },
      namespaces: [
        { namespace: 'a', hard, used: { pods: '1', 'limits.cpu': '500m', nonsense: '0' } },
        { namespace: 'b', hard, used: { pods: '2', 'limits.cpu': '1', nonsense: '0' } },
      ],
    })
  })

  it('of nothing is 0', () => {
    const object = { metadata: { name: 'q' }, spec: { quota: { hard: { 'requests.memory': '2Gi' } } } }

    expect(quotaStatus(object, [], () => [], NOW)).toEqual({
      total: { hard: { 'requests.memory': '2Gi' }, used: { 'requests.memory': '0' } },
      namespaces: [],
    })
  })
})

it('amounts nobody can read are an error', () => {
  expect(() => amountsFrom({ pods: 'many' })).toThrow(InvalidQuantity)
})

describe('quotas of a namespace', () => {
  it('are found by its labels', () => {
    const selectors = new QuotaSelectors()
    selectors.set('blue', { workspace: 'blue' })
    selectors.set('prod', { workspace: 'blue', env: 'prod' })
    selectors.set('all', {})

    const of = (labels: Record<string, string>): string[] => [...selectors.matching(labels)].sort()
    expect(of({ workspace: 'blue', env: 'prod' })).toEqual(['blue', 'prod'])
    expect(of({ workspace: 'blue' })).toEqual(['blue'])
    expect(of({})).toEqual([])
    expect([...selectors.unselective]).toEqual(['all'])

    selectors.set('blue', { workspace: 'red' })
    selectors.delete('prod')
    selectors.delete('all')
    expect(of({ workspace: 'blue', env: 'prod' })).toEqual([])
    expect(of({ workspace: 'red' })).toEqual(['blue'])
    expect([...selectors.unselective]).toEqual([])
  })

  it('need every label that is selected', () => {
    expect(selectsNamespace({ a: '1', b: '2' }, { a: '1', b: '2', c: '3' })).toBe(true)
    expect(selectsNamespace({ a: '1', b: '2' }, { a: '1' })).toBe(false)
    expect(selectsNamespace({ a: '' }, {})).toBe(false)
    expect(selectsNamespace(undefined, undefined)).toBe(true)
  })
})
