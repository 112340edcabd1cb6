import { beforeEach, describe, expect, it } from 'vitest'
import { EVERYTHING, LiteralTenancy, person } from '../../test/fixtures/tenancy.js'
import { PlacementRights, tidyPlacement } from './placement.js'
import { type Placement } from './types.js'

const FORBIDDEN = { code: 403 }

let tenancy: LiteralTenancy
let rights: PlacementRights

beforeEach(() => {
  tenancy = new LiteralTenancy()
  const cluster = (name: string, labels: Record<string, string> = {}): void =>
    tenancy.put('clusters', { metadata: { name, labels } })
  cluster('host', { 'cluster-role.kubesphere.io/host': '' })
  cluster('edge')
  cluster('open', { 'cluster.kubesphere.io/visibility': 'public' })
  tenancy.globally('root', EVERYTHING)
  tenancy.inWorkspace('ana', 'alpha', EVERYTHING)
  rights = new PlacementRights(tenancy)
})

const on = (...names: string[]): Placement => ({ clusters: names.map((name) => ({ name })) })

async function change(
  name: string,
  before: Placement | undefined,
  after: Placement | undefined,
  ownsWorkspace = true,
): Promise<'allowed'> {
  await rights.demandChange(person(name), { workspace: 'alpha', before, after, ownsWorkspace })
  return 'allowed'
}

describe('changing where a workspace is', () => {
  it('needs a right on each cluster that it comes to or leaves', async () => {
    expect(await change('root', on('host'), on('edge'))).toBe('allowed')
    await expect(change('ana', on('open'), on('open', 'edge'))).rejects.toMatchObject(FORBIDDEN)
    await expect(change('ana', on('open', 'edge'), on('open'))).rejects.toMatchObject(FORBIDDEN)
  })

  it('asks nothing about clusters where it stays, in whatever order', async () => {
    expect(await change('ana', on('edge', 'host'), on('host', 'edge'))).toBe('allowed')
  })

  it('is free on public clusters, but not for somebody who may not change the workspace', async () => {
    expect(await change('ana', on(), on('open'))).toBe('allowed')
    await expect(change('nob', on(), on('open'), false)).rejects.toMatchObject(FORBIDDEN)
  })

  it('by a selector is for those who may place it anywhere, whichever form the change takes', async () => {
    expect(await change('root', on(), { clusterSelector: {} })).toBe('allowed')
    await expect(change('ana', on('open'), { clusterSelector: {} })).rejects.toMatchObject(FORBIDDEN)
    // The selector was there, but the list was what counted.
    const both = { ...on('edge'), clusterSelector: {} }
    await expect(change('ana', both, { clusterSelector: {} })).rejects.toMatchObject(FORBIDDEN)
  })

  it('is for the administrators of this cluster where this cluster is concerned', async () => {
    tenancy.inCluster('cora', 'cluster-admin', EVERYTHING)

    expect(await change('cora', on(), on('host'), false)).toBe('allowed')
    await expect(change('cora', on(), on('edge'), false)).rejects.toMatchObject(FORBIDDEN)
  })

  it('is for those who manage all workspaces, as in 3.2', async () => {
    tenancy.globally('wm', { verbs: ['*'], apiGroups: ['*'], resources: ['workspaces'] })

    expect(await change('wm', on(), on('edge'))).toBe('allowed')
  })

  it('to a cluster that does not exist is not found, and leaving one that is gone is free', async () => {
    await expect(change('root', on(), on('nosuch'))).rejects.toMatchObject({ code: 404 })
    expect(await change('ana', on('nosuch'), on())).toBe('allowed')
  })
})

it('a patch that makes nonsense of a placement is left to the API to refuse', async () => {
  const nonsense = [{ clusters: 'edge' }, { clusters: [null, 1, {}] }, 'edge'] as unknown as Placement[]

  for (const placement of nonsense) expect(await change('ana', undefined, placement)).toBe('allowed')
})

it('an empty list of clusters stays where it keeps a selector from counting', () => {
  expect(tidyPlacement({ clusters: [] })).toEqual({})
  expect(tidyPlacement({ clusters: [], clusterSelector: {} })).toEqual({ clusters: [], clusterSelector: {} })
})
