/**
 * DevOps projects of a workspace, and what one member of it may see.
 *
 * The view of a member is worked out for the member alone, groups left aside, as in lists of members. Who asks for
 * somebody else's sees of it what they may see themselves.
 */
import { type UserInfo } from '../../../apimachinery/meta/types.js'
import { route, type Route } from '../../../serving/route.js'
import { DEVOPS_PROJECTS, NAMESPACES } from '../../../tenancy/resources.js'
import { type Visible } from '../../../tenancy/visibility/index.js'
import { type Tenancy } from './deps.js'
import { visibleList } from './lists.js'

const MEMBER = '/workspaces/{workspace}/workspacemembers/{workspacemember}'

export function memberViewRoutes({ stores, visibility, access }: Tenancy): Route[] {
  /** What both may see. */
  async function shared(
    caller: UserInfo,
    member: string,
    workspace: string,
    see: (user: UserInfo) => Promise<Visible>,
  ): Promise<Visible> {
    if (caller.name === member) return see(caller)
    await access.demandWorkspace(caller, workspace)
    const [theirs, own] = await Promise.all([see({ name: member, groups: [] }), see(caller)])
    if (!theirs || !own) return theirs ?? own
    const visible = new Set(own)
    return theirs.filter((object) => visible.has(object))
  }

  return [
    route({
      method: 'GET',
      path: `${MEMBER}/namespaces`,
      summary: 'List the projects of the workspace that a member may see.',
      access: 'authorized',
      handle: ({ user, params, query, client }) =>
        visibleList(
          {
            type: NAMESPACES,
            query,
            ignored: ['label'],
            choose: () =>
              shared(user, params.workspacemember, params.workspace, (who) =>
                visibility.namespaces(who, params.workspace),
              ),
            client,
          },
          stores,
        ),
    }),
    route({
      method: 'GET',
      path: `${MEMBER}/devops`,
      summary: 'List the DevOps projects of the workspace that a member may see.',
      access: 'authorized',
      handle: ({ user, params, query, client }) =>
        visibleList(
          {
            type: DEVOPS_PROJECTS,
            query,
            choose: () =>
              shared(user, params.workspacemember, params.workspace, (who) =>
                visibility.devopsProjects(who, params.workspace),
              ),
            client,
          },
          stores,
        ),
    }),
    route({
      method: 'GET',
      path: '/workspaces/{workspace}/devops',
      summary: 'List the DevOps projects of the workspace that the caller may see.',
      access: 'authorized',
      handle: ({ user, params, query, client }) =>
        visibleList(
          {
            type: DEVOPS_PROJECTS,
            query,
            choose: () => visibility.devopsProjects(user, params.workspace),
            client,
          },
          stores,
        ),
    }),
  ]
}
