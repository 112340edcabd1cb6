import { describe, expect, it } from 'vitest'
import { held } from '../../../test/fixtures/stored.js'
import { type ObjectMeta } from '../../apimachinery/meta/types.js'
import { type NamespaceObject, type WorkspaceObject } from '../../tenancy/types.js'
import { WorkspaceReconciler } from './workspace.reconciler.js'

const WORKSPACE = 'kubesphere.io/workspace'
const FINALIZER = 'finalizers.tenant.kubesphere.io'
const OWNER = {
  apiVersion: 'tenant.kubesphere.io/v1alpha1',
  kind: 'Workspace',
  name: 'blue',
  uid: 'blue-uid',
  controller: true,
}

const project = (name: string, metadata: ObjectMeta = {}, workspace = 'blue'): NamespaceObject => ({
  metadata: { name, ...metadata, labels: { [WORKSPACE]: workspace, ...metadata.labels } },
})

async function pass(workspace: WorkspaceObject, ...projects: NamespaceObject[]) {
  const [workspaces, namespaces] = [held(workspace), held(...projects)]
  const told: string[] = []
  const reconciler = new WorkspaceReconciler({
    workspaces,
    namespaces,
    ownerFor: () => OWNER,
    tell: ({ metadata }) => void told.push(metadata.name ?? ''),
  })
  const { name = '' } = workspace.metadata
  await reconciler.reconcile({ namespace: '', name }, new AbortController().signal)
  return { after: workspaces.get(name)?.metadata, namespaces, told }
}

describe('a workspace', () => {
  it('comes to own its projects, and no others', async () => {
    const { after, namespaces, told } = await pass(
      { metadata: { name: 'blue' } },
      project('new'),
      project('owned', { ownerReferences: [OWNER] }),
      project('federated', { labels: { 'kubefed.io/managed': 'true' } }),
      project('going', { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      project('other', {}, 'red'),
    )

    expect(after?.finalizers).toEqual([FINALIZER])
    expect(namespaces.writes).toEqual(['commit new'])
    expect(namespaces.get('new')?.metadata.ownerReferences).toEqual([OWNER])
    expect(told).toEqual(['blue'])
  })

  it('in order is left alone, and nobody is told', async () => {
    const { told } = await pass(
      { metadata: { name: 'blue', finalizers: [FINALIZER] } },
      project('owned', { ownerReferences: [OWNER] }),
    )

    expect(told).toEqual([])
  })

  it('that is deleted goes at once, its projects by garbage collection', async () => {
    const { after, namespaces } = await pass(
      { metadata: { name: 'blue', finalizers: [FINALIZER], deletionTimestamp: '2026-01-01T00:00:00Z' } },
      project('owned', { ownerReferences: [OWNER] }),
    )

    expect(after?.finalizers).toEqual([])
    expect(namespaces.writes).toEqual([])
  })

  it('of the system lets go of its namespaces first', async () => {
    const metadata = { name: 'system-workspace', deletionTimestamp: '2026-01-01T00:00:00Z' }
    const { after, namespaces } = await pass(
      { metadata: { ...metadata, finalizers: [FINALIZER] } },
      project('kube-system', { ownerReferences: [OWNER] }, 'system-workspace'),
    )

    expect(namespaces.get('kube-system')?.metadata.ownerReferences).toEqual([])
    expect(after?.finalizers).toEqual([])
  })
})
