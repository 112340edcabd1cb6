/** The DevOps project that a request is about, which the URL names by its namespace or by its name. */
import { type InformerSet } from '../client/cache/interface.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { WORKSPACE } from '../tenancy/names.js'
import { DEVOPS_PROJECTS } from '../tenancy/resources.js'

export type DevopsLookup = (devops: string) => { name: string; workspace: string } | undefined

/** @returns undefined for a project that is not there */
export function devopsLookup(informers: Pick<InformerSet, 'informer'>): DevopsLookup {
  const { store } = informers.informer(DEVOPS_PROJECTS, {
    extract: () => undefined,
    indexes: { adminNamespace: (object) => adminNamespaceOf(object) },
  })
  return (devops) => {
    const [byNamespace] = store.index('adminNamespace', devops)
    const project = byNamespace ?? store.get('', devops)
    return project && { name: project.name, workspace: project.labels[WORKSPACE] ?? '' }
  }
}

function adminNamespaceOf(object: KubeObject): string[] {
  const { status } = object as { status?: { adminNamespace?: unknown } }
  return typeof status?.adminNamespace === 'string' ? [status.adminNamespace] : []
}
