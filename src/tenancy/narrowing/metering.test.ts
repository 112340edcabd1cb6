import { beforeEach, describe, expect, it } from 'vitest'
import { EVERYTHING, LiteralTenancy, person } from '../../../test/fixtures/tenancy.js'
import { type PolicyRule } from '../../authorization/rules.js'
import { MeteringNarrowing, type MeteringQuestion } from './index.js'

const VIEW: PolicyRule = { verbs: ['get', 'list', 'watch'], apiGroups: ['*'], resources: ['*'] }
const FORBIDDEN = { code: 403 }

let narrowing: MeteringNarrowing
const scope = (name: string, question: MeteringQuestion): Promise<unknown> =>
  narrowing.scope(person(name), question)

beforeEach(() => {
  const tenancy = new LiteralTenancy()
  for (const name of ['alpha', 'beta']) tenancy.workspace(name)
  tenancy.namespace('a1', 'alpha')
  tenancy.namespace('a2', 'alpha')
  tenancy.namespace('b1', 'beta')
  tenancy.globally('root', EVERYTHING)
  tenancy.inWorkspace('vic', 'alpha', VIEW)
  tenancy.inNamespace('pview', 'a1', VIEW)
  narrowing = new MeteringNarrowing(tenancy)
})

describe('consumption', () => {
  it('of all projects is narrowed to those where one may list pods', async () => {
    expect(await scope('root', { level: 'LevelNamespace' })).toBe('asked')
    expect(await scope('vic', { level: 'LevelNamespace' })).toEqual({ namespaces: ['a1', 'a2'] })
    expect(await scope('pview', { level: 'LevelNamespace' })).toEqual({ namespaces: ['a1'] })
    expect(await scope('nob', { level: 'LevelNamespace' })).toEqual({ namespaces: [] })
    expect(await scope('pview', { level: 'LevelNamespace', workspace: 'beta' })).toEqual({ namespaces: [] })
  })

  it('of all workspaces is narrowed to those where one may list pods', async () => {
    expect(await scope('root', { level: 'LevelWorkspace' })).toBe('asked')
    expect(await scope('vic', { level: 'LevelWorkspace' })).toEqual({ workspaces: ['alpha'] })
    expect(await scope('pview', { level: 'LevelWorkspace' })).toEqual({ workspaces: [] })
  })

  it('of one place is refused to those who may not list pods there', async () => {
    expect(await scope('vic', { level: 'LevelWorkspace', workspace: 'alpha' })).toBe('asked')
    await expect(scope('vic', { level: 'LevelWorkspace', workspace: 'beta' })).rejects.toMatchObject(
      FORBIDDEN,
    )
    await expect(scope('pview', { level: 'LevelNamespace', namespace: 'a2' })).rejects.toMatchObject(
      FORBIDDEN,
    )
    await expect(scope('vic', { level: 'LevelCluster' })).rejects.toMatchObject(FORBIDDEN)
    await expect(scope('vic', { level: 'LevelNode' })).rejects.toMatchObject(FORBIDDEN)
    await expect(scope('vic', { level: 'LevelPod' })).rejects.toMatchObject(FORBIDDEN)
    expect(await scope('vic', { level: 'LevelPod', namespace: 'a1' })).toBe('asked')
  })

  it('of a project is not found under a workspace that it is not in', async () => {
    const question = { level: 'LevelNamespace', workspace: 'beta', namespace: 'a1' } as const

    await expect(scope('vic', question)).rejects.toMatchObject({ code: 404 })
    await expect(scope('nob', question)).rejects.toMatchObject(FORBIDDEN)
  })

  it('of workloads needs the namespace they are in', async () => {
    for (const level of ['LevelApplication', 'LevelWorkload', 'LevelService'] as const) {
      await expect(scope('root', { level })).rejects.toMatchObject({ code: 400 })
      expect(await scope('pview', { level, namespace: 'a1' })).toBe('asked')
    }
  })
})
