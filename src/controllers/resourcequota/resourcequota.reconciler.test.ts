import { describe, expect, it } from 'vitest'
import { held } from '../../../test/fixtures/stored.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type WorkspaceObject, type WorkspaceQuotaObject } from '../../tenancy/types.js'
import { ResourceQuotaReconciler } from './resourcequota.reconciler.js'

const WORKSPACE = 'kubesphere.io/workspace'
const OWNER = {
  apiVersion: 'tenant.kubesphere.io/v1alpha1',
  kind: 'Workspace',
  name: 'blue',
  uid: 'blue-uid',
}

const quota = (hard: Record<string, string> = { pods: '5' }): WorkspaceQuotaObject => ({
  metadata: {
    name: 'blue',
    generation: 1,
    resourceVersion: '1',
    labels: { [WORKSPACE]: 'blue' },
    ownerReferences: [OWNER],
  },
  spec: { selector: { [WORKSPACE]: 'blue' }, quota: { hard } },
})
const pod = (name: string): KubeObject => ({ metadata: { name } })

function world(of: WorkspaceQuotaObject, pods: Record<string, KubeObject[]>) {
  const quotas = held(of)
  const statuses: unknown[] = []
  let version = 1
  let now = 0
  const rewrite = async (status?: WorkspaceQuotaObject['status']) => {
    const before = quotas.get('blue') as WorkspaceQuotaObject
    const metadata = { ...before.metadata, resourceVersion: String(++version) }
    await quotas.commit(
      before,
      { ...before, metadata, ...(status && { status }) },
      new AbortController().signal,
    )
  }
  const reconciler = new ResourceQuotaReconciler({
    quotas,
    workspaces: held<WorkspaceObject>({ metadata: { name: 'blue', uid: 'blue-uid' } }),
    ownerFor: () => OWNER,
    namespacesOf: () => Object.keys(pods),
    ready: () => Promise.resolve(),
    objectsIn: (type, namespace) => (type.resource === 'pods' ? (pods[namespace] ?? []) : []),
    async writeStatus(_, status) {
      statuses.push(status)
      await rewrite(status)
    },
    now: () => now,
    tell: () => undefined,
  })
  return {
    quotas,
    pods,
    statuses,
    rewrite,
    pass: async (at: number) => {
      now = at
      return (await reconciler.reconcile({ namespace: '', name: 'blue' }, new AbortController().signal))
        ?.requeueAfter
    },
  }
}

const used = (pods: string) => ({ total: { hard: { pods: '5' }, used: { pods } } })

describe('the status of a quota', () => {
  it('is what its namespaces use, in the order of their names', async () => {
    const { statuses, pass } = world(quota(), { b: [pod('x')], a: [pod('x'), pod('y')] })

    expect(await pass(0)).toBe(300_000)

    expect(statuses).toEqual([
      {
        total: { hard: { pods: '5' }, used: { pods: '3' } },
        namespaces: [
          { namespace: 'a', hard: { pods: '5' }, used: { pods: '2' } },
          { namespace: 'b', hard: { pods: '5' }, used: { pods: '1' } },
        ],
      },
    ])
  })

  it('is written only when it changes, and not counted all the time', async () => {
    const { statuses, pods, pass } = world(quota(), { a: [] })
    await pass(0)
    expect(await pass(100)).toBe(400)
    await pass(1_000)
    expect(statuses).toHaveLength(1)

    pods['a']?.push(pod('x'))
    await pass(2_000)
    expect(statuses.at(-1)).toMatchObject(used('1'))
  })

  it('is lowered once nobody has written the quota for a second: an admitted pod may be on its way', async () => {
    const { statuses, pods, rewrite, pass } = world(quota(), { a: [pod('x')] })
    await pass(0)
    pods['a'] = []

    expect(await pass(1_000)).toBe(1_000)
    await rewrite() // Another pod is admitted.
    expect(await pass(1_800)).toBe(1_000)
    expect(await pass(2_800)).toBe(300_000)

    expect(statuses).toHaveLength(2)
    expect(statuses.at(-1)).toMatchObject(used('0'))
  })

  it('is lowered after five seconds, however often the quota is written', async () => {
    const { statuses, pods, rewrite, pass } = world(quota(), { a: [pod('x')] })
    await pass(0)
    pods['a'] = []

    for (let at = 1_000; at < 6_000; at += 600) {
      await rewrite()
      await pass(at)
    }
    expect(statuses).toHaveLength(1)
    await rewrite()
    await pass(6_400)
    expect(statuses).toHaveLength(2)
  })

  it('cannot be had of a quota that nobody can read: nothing is written, and it is not tried again', async () => {
    const { statuses, pass } = world(quota({ pods: 'many' }), {})

    await expect(pass(0)).rejects.toMatchObject({ name: 'TerminalError' })
    expect(statuses).toEqual([])
  })
})

it('a quota belongs to its workspace alone', async () => {
  const of = quota()
  of.metadata.ownerReferences = [{ ...OWNER, kind: 'Other' }]
  const { quotas, pass } = world(of, {})

  await pass(0)

  expect(quotas.get('blue')?.metadata.ownerReferences).toEqual([OWNER])
})
