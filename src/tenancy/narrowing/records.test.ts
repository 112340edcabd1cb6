import { beforeEach, describe, expect, it } from 'vitest'
import { EVERYTHING, LiteralTenancy, person } from '../../../test/fixtures/tenancy.js'
import { type PolicyRule } from '../../authorization/rules.js'
import { admits, isEmpty, RecordNarrowing, type RecordScope } from './index.js'

const VIEW: PolicyRule = { verbs: ['get', 'list', 'watch'], apiGroups: ['*'], resources: ['*'] }
const MEMBER: PolicyRule = { verbs: ['get'], apiGroups: ['*'], resources: ['workspaces'] }

let tenancy: LiteralTenancy
let narrowing: RecordNarrowing

beforeEach(() => {
  tenancy = new LiteralTenancy()
  for (const name of ['alpha', 'beta']) tenancy.workspace(name, '2025-12-01T00:00:00Z')
  tenancy.namespace('a1', 'alpha')
  tenancy.namespace('a2', 'alpha')
  tenancy.namespace('b1', 'beta')
  tenancy.namespace('free')
  tenancy.globally('root', EVERYTHING)
  tenancy.inWorkspace('vic', 'alpha', VIEW)
  tenancy.inWorkspace('reg', 'alpha', MEMBER)
  tenancy.inNamespace('reg', 'a2', VIEW)
  tenancy.inNamespace('group:ops', 'b1', VIEW)
  narrowing = new RecordNarrowing(tenancy)
})

const namesIn = ({ namespaces }: RecordScope): unknown =>
  namespaces === 'any' ? 'any' : [...namespaces.keys()].sort()

describe('logs', () => {
  it('are those of the namespaces where one may read logs, since their creation', async () => {
    const scope = await narrowing.logs(person('vic'), {})

    expect(namesIn(scope)).toEqual(['a1', 'a2'])
    expect(scope.unscoped).toBe(false)
    expect(admits(scope, { namespace: 'a1', time: new Date('2026-01-02') })).toBe(true)
    expect(admits(scope, { namespace: 'a1', time: new Date('2025-12-31') })).toBe(false)
    expect(admits(scope, { namespace: 'b1', time: new Date('2026-01-02') })).toBe(false)
    expect(admits(scope, { time: new Date('2026-01-02') })).toBe(false)
  })

  it('are everything, also of namespaces long gone, for administrators who name none', async () => {
    const scope = await narrowing.logs(person('root'), {})

    expect(admits(scope, { namespace: 'gone', time: new Date('2020-01-01') })).toBe(true)
  })

  it('are those of the named namespaces, at any time, for administrators who name some', async () => {
    const scope = await narrowing.logs(person('root'), { namespaceSearch: ['1'] })

    expect(namesIn(scope)).toEqual(['a1', 'b1'])
    expect(admits(scope, { namespace: 'a1', time: new Date('2020-01-01') })).toBe(true)
    expect(isEmpty(await narrowing.logs(person('root'), { namespaces: ['nosuch'] }))).toBe(true)
  })

  it('are none, without a refusal, for somebody bound nowhere', async () => {
    expect(isEmpty(await narrowing.logs(person('nob'), {}))).toBe(true)
    expect(isEmpty(await narrowing.logs(person('nob'), { namespaces: ['a1'] }))).toBe(true)
  })

  it('need more than membership of the workspace', async () => {
    expect(namesIn(await narrowing.logs(person('reg'), {}))).toEqual(['a2'])
  })

  it('come with what groups may read', async () => {
    expect(namesIn(await narrowing.logs(person('nob', 'ops'), {}))).toEqual(['b1'])
  })
})

describe('events', () => {
  it('of a namespace that is there again are not those of the one before', async () => {
    tenancy.namespace('a1', 'alpha', { uid: 'a1-2', creationTimestamp: '2026-06-01T00:00:00Z' })

    const scope = await narrowing.events(person('vic'), { namespaces: ['a1'] })

    expect(admits(scope, { namespace: 'a1', time: new Date('2026-05-31') })).toBe(false)
    expect(admits(scope, { namespace: 'a1', time: new Date('2026-06-01') })).toBe(true)
  })

  it('that name no namespace are for those who may list events everywhere and filter nothing', async () => {
    const cluster = { time: new Date('2026-02-01') }

    expect(admits(await narrowing.events(person('root'), {}), cluster)).toBe(true)
    expect(admits(await narrowing.events(person('root'), { workspaces: ['alpha'] }), cluster)).toBe(false)
    expect(admits(await narrowing.events(person('vic'), {}), cluster)).toBe(false)
  })

  it('are narrowed by all filters together, and those of workspaces leave out what is in none', async () => {
    const root = person('root')

    expect(namesIn(await narrowing.events(root, {}))).toEqual(['a1', 'a2', 'b1', 'free'])
    expect(namesIn(await narrowing.events(root, { workspaceSearch: ['a'] }))).toEqual(['a1', 'a2', 'b1'])
    expect(
      namesIn(await narrowing.events(root, { workspaces: ['beta', 'alpha'], namespaces: ['b1', 'free'] })),
    ).toEqual(['b1'])
    expect(namesIn(await narrowing.events(person('vic'), { workspaces: ['beta'] }))).toEqual([])
  })
})

describe('audit records', () => {
  it('of a whole workspace are for those who may list events in it, since it is there', async () => {
    const scope = await narrowing.auditing(person('vic'), {})

    expect([...scope.workspaces.keys()]).toEqual(['alpha'])
    expect(admits(scope, { workspace: 'alpha', namespace: 'gone', time: new Date('2025-12-24') })).toBe(true)
    expect(admits(scope, { workspace: 'alpha', time: new Date('2025-11-30') })).toBe(false)
    expect(admits(scope, { workspace: 'beta', time: new Date('2026-02-01') })).toBe(false)
  })

  it('of single projects are for their members, and no others of the workspace', async () => {
    const scope = await narrowing.auditing(person('reg'), {})

    expect(admits(scope, { workspace: 'alpha', namespace: 'a2', time: new Date('2026-02-01') })).toBe(true)
    expect(admits(scope, { workspace: 'alpha', namespace: 'a1', time: new Date('2026-02-01') })).toBe(false)
  })

  it('that name no place are for administrators who filter nothing', async () => {
    expect((await narrowing.auditing(person('root'), {})).unscoped).toBe(true)
    expect((await narrowing.auditing(person('root'), { workspaceSearch: ['alp'] })).unscoped).toBe(false)
  })
})
