/** What a workspace leaves in the application store: its releases and repositories go, its templates are marked. */
import { isNotFound } from '../../apimachinery/errors/index.js'
import { type RestClient } from '../../client/rest.js'
import { WORKSPACE } from '../../tenancy/names.js'
import { isUsableWorkspaceName } from '../../tenancy/workspacename.js'

const helm = (resource: string) => ({ group: 'application.kubesphere.io', version: 'v1alpha1', resource })
const RELEASES = helm('helmreleases')
const REPOS = helm('helmrepos')
const APPLICATIONS = helm('helmapplications')
const CLEANUP = 'application.kubesphere.io/app-cleanup'

export function applicationRemoval(client: RestClient) {
  return async (workspace: string, signal: AbortSignal): Promise<void> => {
    // Made at the Kubernetes API itself: nothing can carry such a name in its label.
    if (!isUsableWorkspaceName(workspace)) return
    const labelSelector = `${WORKSPACE}=${workspace}`
    /** The names, page by page; none when the kind is not served. */
    async function named(type: typeof RELEASES): Promise<string[]> {
      const names: string[] = []
      try {
        for await (const page of client.resource(type).pages({ labelSelector, signal }))
          names.push(...page.map(({ metadata }) => metadata.name ?? ''))
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
      return names
    }
    for (const type of [RELEASES, REPOS])
      for (const name of await named(type)) await gone(client.resource(type).delete(name, { signal }))
    const mark = { metadata: { annotations: { [CLEANUP]: 'ongoing' } } }
    for (const name of await named(APPLICATIONS))
      await gone(client.resource(APPLICATIONS).patch(name, 'merge', mark, { signal }))
  }
}

/** Somebody else may have been faster. */
async function gone(write: Promise<unknown>): Promise<void> {
  try {
    await write
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
