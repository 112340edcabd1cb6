/** The two ways a template makes a workspace. */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { equal } from '../../apimachinery/json/value.js'
import { type Stored } from '../../controller/index.js'
import { type WorkspaceObject, type WorkspaceTemplateObject } from '../../tenancy/types.js'
import { type WorkspaceMaker } from './workspacetemplate.reconciler.js'

export interface FederatedWorkspaceObject extends KubeObject {
  spec?: WorkspaceTemplateObject['spec']
}

type Workspaces<T extends KubeObject> = Pick<Stored<T>, 'get' | 'create' | 'commit' | 'delete'>

/** Told to federation: members keep what they have. */
const DELETE_OPTION = 'kubefed.io/deleteoption'
const ORPHANING = '{"propagationPolicy":"Orphan"}'

const labelsOf = (labels: Record<string, string> | undefined): Record<string, string> | undefined =>
  labels && Object.keys(labels).length > 0 ? labels : undefined

/** The Workspace itself, with the spec and the labels that the template says. */
export function direct(workspaces: Workspaces<WorkspaceObject>): WorkspaceMaker {
  return {
    async ensure({ metadata: { name = '' }, spec: { template = {} } = {} }, signal) {
      const labels = labelsOf(template.metadata?.labels)
      return ensure(workspaces, name, labels, template.spec ?? {}, signal)
    },
    remove: (name, orphan, signal) => remove(workspaces, name, orphan, signal),
  }
}

/** A FederatedWorkspace, from which federation makes the Workspace in each cluster of the placement. */
export function federated(
  federatedWorkspaces: Workspaces<FederatedWorkspaceObject>,
  workspaces: Workspaces<WorkspaceObject>,
): WorkspaceMaker {
  return {
    async ensure({ metadata: { name = '', labels }, spec = {} }, signal) {
      return ensure(federatedWorkspaces, name, labelsOf(labels), spec, signal)
    },
    async remove(name, orphan, signal) {
      const found = federatedWorkspaces.get(name)
      if (found === undefined) return // Federation has taken the Workspaces away with it.
      if (orphan && found.metadata.annotations?.[DELETE_OPTION] !== ORPHANING) {
        const annotations = { ...found.metadata.annotations, [DELETE_OPTION]: ORPHANING }
        const after = { ...found, metadata: { ...found.metadata, annotations } }
        await federatedWorkspaces.commit(found, after, signal)
      }
      await federatedWorkspaces.delete(found, signal)
      await remove(workspaces, name, orphan, signal)
    },
  }
}

async function ensure<T extends KubeObject & { spec?: object | undefined }>(
  stored: Workspaces<T>,
  name: string,
  labels: Record<string, string> | undefined,
  spec: object,
  signal: AbortSignal,
): Promise<boolean> {
  const found = stored.get(name)
  if (found === undefined) {
    const metadata = { name, ...(labels && { labels }) }
    await stored.create({ metadata, spec } as unknown as T, signal) // A T has no more than these.
    return true
  }
  if (found.metadata.deletionTimestamp !== undefined) return false // Made anew when it has gone.
  if (equal(found.spec ?? {}, spec) && equal(labelsOf(found.metadata.labels), labels)) return false
  const { labels: _old, ...metadata } = found.metadata
  const after = { ...found, metadata: { ...metadata, ...(labels && { labels }) }, spec }
  return stored.commit(found, after, signal)
}

async function remove<T extends KubeObject>(
  stored: Workspaces<T>,
  name: string,
  orphan: boolean,
  signal: AbortSignal,
): Promise<void> {
  const found = stored.get(name)
  if (found === undefined || found.metadata.deletionTimestamp !== undefined) return
  await stored.delete(found, signal, orphan ? 'Orphan' : 'Background')
}
