import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { resourceFacts } from '../data.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { decodeAs } from './decode.js'

const STATE = new URL('../../../../../shared/golden/state.json', import.meta.url)
const POD = 'io.k8s.api.core.v1.Pod'
const DEPLOYMENT = 'io.k8s.api.apps.v1.Deployment'

function decode(definition: string, object: unknown) {
  const issues = { unknown: [], duplicate: [] }
  return { object: decodeAs(definition, object as KubeObject, issues), issues }
}

describe('reading a body as its kind', () => {
  it('drops and reports what the schema does not know', () => {
    const { object, issues } = decode(POD, {
      metadata: { name: 'a' },
      spec: { containers: [{ name: 'c', bogus: 1 }], extra: {} },
    })

    expect(object['spec']).toEqual({ containers: [{ name: 'c', resources: {} }] })
    expect(issues.unknown).toEqual(['spec.containers[0].bogus', 'spec.extra'])
  })

  it('writes absence as the original does', () => {
    expect(decode(DEPLOYMENT, { metadata: { name: 'a' } }).object).toEqual({
      metadata: { name: 'a', creationTimestamp: null },
      spec: {
        selector: null,
        template: { metadata: { creationTimestamp: null }, spec: { containers: null } },
        strategy: {},
      },
      status: {},
    })
  })

  it('tells zero from absent only where the type does', () => {
    const spec = { replicas: 0, minReadySeconds: 0, paused: false }
    expect(decode(DEPLOYMENT, { metadata: {}, spec }).object['spec']).not.toHaveProperty('minReadySeconds')
    expect(decode(DEPLOYMENT, { metadata: {}, spec }).object['spec']).toHaveProperty('replicas', 0)
  })

  it('names the Go path of a wrong type', () => {
    const bad = (spec: unknown) => () => decode(DEPLOYMENT, { metadata: {}, spec })
    expect(bad({ replicas: 'two' })).toThrow(
      'Deployment in version "v1" cannot be handled as a Deployment: v1.Deployment.Spec: v1.DeploymentSpec.Replicas: readUint32: unexpected character: \ufffd',
    )
    expect(
      bad({ template: { spec: { containers: [{ resources: { requests: { cpu: 'abc' } } }] } } }),
    ).toThrow(
      "v1.PodSpec.Containers: []v1.Container: v1.Container.Resources: v1.ResourceRequirements.Requests: unmarshalerDecoder: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    )
  })

  it('makes quantities canonical', () => {
    const limits = { cpu: '1000m', memory: '1024Mi', storage: '1.5Gi', pods: 0.5, 'a/b': '1e3' }
    const { object } = decode(POD, {
      metadata: {},
      spec: { containers: [{ name: 'c', resources: { limits } }] },
    })
    expect(object).toHaveProperty('spec.containers.0.resources.limits', {
      cpu: '1',
      memory: '1Gi',
      storage: '1536Mi',
      pods: '500m',
      'a/b': '1e3',
    })
  })

  it('takes a MicroTime only with six digits', () => {
    const lease = (renewTime: string) => () =>
      decode('io.k8s.api.coordination.v1.Lease', { metadata: {}, spec: { renewTime } })
    expect(lease('2026-01-01T00:00:00.500Z')).toThrow('cannot be handled as a Lease')
    expect(lease('2026-01-01T00:00:00.500000Z')().object).toHaveProperty(
      'spec.renewTime',
      '2026-01-01T00:00:00.500000Z',
    )
  })
})

describe.skipIf(!existsSync(STATE))('reading the recorded state (needs ../shared/golden)', () => {
  it('leaves every stored object of a built-in kind as it is', () => {
    const state = JSON.parse(readFileSync(STATE, 'utf8')) as Record<string, { items: KubeObject[] }>
    const changed: string[] = []
    let count = 0
    for (const { group, version, name, definition } of resourceFacts().resources) {
      const list = state[group === '' ? `/api/${version}/${name}` : `/apis/${group}/${version}/${name}`]
      for (const item of list?.items ?? []) {
        count++
        const { object, issues } = decode(definition, item)
        if (JSON.stringify(object) !== JSON.stringify(item) || issues.unknown.length > 0) {
          changed.push(
            `${name} ${item.metadata.namespace}/${item.metadata.name}: ${firstDifference(item, object)}`,
          )
        }
      }
    }
    expect(count).toBeGreaterThan(800)
    expect(changed).toEqual([])
  })
})

function firstDifference(want: unknown, got: unknown, path = ''): string {
  if (JSON.stringify(want) === JSON.stringify(got)) return ''
  if (typeof want !== 'object' || typeof got !== 'object' || want === null || got === null) {
    return `${path}: want ${JSON.stringify(want)}, got ${JSON.stringify(got)}`
  }
  const [a, b] = [want as Record<string, unknown>, got as Record<string, unknown>]
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = firstDifference(a[key], b[key], `${path}.${key}`)
    if (found) return found
  }
  return `${path}: order ${Object.keys(a).join()} against ${Object.keys(b).join()}`
}
