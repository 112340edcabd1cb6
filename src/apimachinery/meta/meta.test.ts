import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as fc from '../../../test/fixtures/properties.js'
import { invalid, type Status } from '../errors/index.js'
import {
  canonicalMicroTime,
  canonicalTime,
  formatMicroTime,
  formatTime,
  generateName,
  generateNameFaults,
  nameFaults,
  type NameRule,
  type ObjectMeta,
  parseTime,
  qualifiedNameFaults,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from './index.js'

const GOLDEN = new URL('../../../../shared/golden/kube/api-sequence.json', import.meta.url)

interface Entry {
  id: string
  request: { body?: { metadata: ObjectMeta } }
  response: { json?: Status }
}

const rules = { namespaced: true, nameRule: 'subdomain' as NameRule }

describe.skipIf(!existsSync(GOLDEN))('metadata faults as recorded (needs ../shared/golden)', () => {
  const entries = new Map<string, Entry>()
  if (existsSync(GOLDEN)) {
    const { entries: list } = JSON.parse(readFileSync(GOLDEN, 'utf8')) as { entries: Entry[] }
    for (const entry of list) entries.set(entry.id, entry)
  }
  const recorded = (id: string) => {
    const entry = entries.get(id)
    return { metadata: entry?.request.body?.metadata ?? {}, status: entry?.response.json }
  }

  it.each([
    ['kube-004', { group: '', kind: 'Pod' }, 'subdomain'],
    ['kube-010', { group: '', kind: 'Service' }, 'service'],
    ['kube-150', { group: 'apps', kind: 'Deployment' }, 'subdomain'],
    ['kube-151', { group: 'apps', kind: 'Deployment' }, 'subdomain'],
    ['kube-156', { group: 'apps', kind: 'Deployment' }, 'subdomain'],
    ['kube-157', { group: 'apps', kind: 'Deployment' }, 'subdomain'],
    ['kube-158', { group: 'apps', kind: 'Deployment' }, 'subdomain'],
  ] as const)('%s', (id, kind, nameRule) => {
    const { metadata, status } = recorded(id)
    const faults = validateObjectMeta({ ...metadata, namespace: 'kg' }, { namespaced: true, nameRule })
    const message = invalid(kind, metadata.name ?? '', faults).message
    const addresses = /0xc[0-9a-f]+/g
    expect(message.replace(addresses, '0x0')).toBe(status?.message?.replace(addresses, '0x0'))
  })

  it('kube-100: namespaces', () => {
    const { metadata, status } = recorded('kube-100')
    const faults = validateObjectMeta(metadata, { namespaced: false, nameRule: 'label' })
    expect(invalid({ group: '', kind: 'Namespace' }, 'Bad_Name!', faults).message).toBe(status?.message)
  })

  it('kube-212: a finalizer added while deleting', () => {
    const previous = {
      name: 'fin',
      resourceVersion: '2',
      deletionTimestamp: 'now',
      finalizers: ['a.example.com/x'],
    }
    const faults = validateObjectMetaUpdate(
      { ...previous, finalizers: ['a.example.com/x', 'a.example.com/y'] },
      previous,
    )
    expect(invalid({ group: '', kind: 'ConfigMap' }, 'fin', faults).message).toBe(
      recorded('kube-212').status?.message,
    )
  })
})

describe('names', () => {
  it.each([
    ['subdomain', 'a.b-c.1', 0],
    ['subdomain', `${'a'.repeat(254)}`, 1],
    ['subdomain', 'a..b', 1],
    ['label', 'a.b', 1],
    ['service', '1a', 1],
    ['path-segment', 'system:node%2f', 1],
    ['path-segment', 'system:node', 0],
    ['path-segment', '..', 1],
  ] as const)('%s %j has %d faults', (rule, text, count) => {
    expect(nameFaults(rule, text)).toHaveLength(count)
  })

  it('may end in a dash before the random suffix', () => {
    expect(generateNameFaults('subdomain', 'pod-')).toEqual([])
    expect(nameFaults('subdomain', 'pod-')).toHaveLength(1)
  })

  it('of keys may have one prefix', () => {
    expect(qualifiedNameFaults('example.com/a_B.c')).toEqual([])
    expect(qualifiedNameFaults('a/b/c')[0]).toMatch(/with an optional DNS subdomain prefix/)
    expect(qualifiedNameFaults('Example.com/a')[0]).toMatch(/^prefix part a lowercase RFC 1123 subdomain/)
    expect(qualifiedNameFaults('a/')).toContain('name part must be non-empty')
  })

  it('are made from a base cut to fit a label', () => {
    const name = generateName('x'.repeat(80), () => 0)
    expect(name).toBe(`${'x'.repeat(58)}bbbbb`)
    expect(generateName('a-', (limit) => limit - 1)).toBe('a-99999')
  })
})

describe('metadata limits', () => {
  it('refuses more than 256 KiB of annotations', () => {
    const faults = validateObjectMeta(
      { name: 'a', namespace: 'b', annotations: { big: 'x'.repeat(256 * 1024) } },
      rules,
    )
    expect(faults.map((fault) => fault.message)).toEqual(['Too long: must have at most 262144 bytes'])
  })

  it('refuses a namespace on a cluster-scoped kind', () => {
    const faults = validateObjectMeta({ name: 'a', namespace: 'b' }, { ...rules, namespaced: false })
    expect(faults).toMatchObject([
      { field: 'metadata.namespace', message: 'Forbidden: not allowed on this type' },
    ])
  })

  it('keeps identity on update', () => {
    const previous = { name: 'a', uid: '1', resourceVersion: '5', creationTimestamp: '2026-01-01T00:00:00Z' }
    expect(validateObjectMetaUpdate(previous, previous)).toEqual([])
    expect(validateObjectMetaUpdate({ ...previous, uid: '2' }, previous)).toMatchObject([
      { field: 'metadata.uid', message: 'Invalid value: "2": field is immutable' },
    ])
    expect(validateObjectMetaUpdate({ ...previous, resourceVersion: '' }, previous)).toMatchObject([
      { message: 'Invalid value: "": must be specified for an update' },
    ])
  })
})

describe('times', () => {
  it('are written with whole seconds, or exactly six digits', () => {
    const date = new Date('2026-01-02T03:04:05.678Z')
    expect(formatTime(date)).toBe('2026-01-02T03:04:05Z')
    expect(formatMicroTime(date)).toBe('2026-01-02T03:04:05.678000Z')
  })

  it.each([
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05.999Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05+02:00', '2026-01-02T01:04:05Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
    ['2026-02-30T00:00:00Z', undefined],
    ['2026-01-02 03:04:05Z', undefined],
    ['2026-01-02T03:04:05', undefined],
    ['2026-01-02', undefined],
  ])('%s is read as %s', (text, canonical) => {
    expect(canonicalTime(text)).toBe(canonical)
  })

  it.each([
    ['2026-01-02T03:04:05.500000Z', '2026-01-02T03:04:05.500000Z'],
    ['2026-01-02T03:04:05.123456+01:00', '2026-01-02T02:04:05.123456Z'],
    ['2026-01-02T03:04:05.500Z', undefined],
    ['2026-01-02T03:04:05Z', undefined],
  ])('%s as a MicroTime is %s', (text, canonical) => {
    expect(canonicalMicroTime(text)).toBe(canonical)
  })

  it('survive writing and reading', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true }),
        (date) => {
          expect(parseTime(formatTime(date))?.getTime()).toBe(Math.floor(date.getTime() / 1000) * 1000)
        },
      ),
    )
  })
})
