/**
 * iam.kubesphere.io/v1alpha2, bindings of a workspace and of its projects. The console binds groups with them; users
 * become members.
 */
import { type Static, Type } from '../../../apimachinery/schema/type.js'
import { listPage } from '../../../listing/engine.js'
import { type AnyKind } from '../../../listing/kind.js'
import { findKind } from '../../../listing/kinds/index.js'
import { JSON_TYPE, pageReply } from '../../../listing/page.js'
import { parseListQuery } from '../../../listing/query.js'
import { Reply, route, type Route } from '../../../serving/route.js'
import { WORKSPACE } from '../../../tenancy/names.js'
import { type TenancyResources } from '../../../tenancy/resources.js'
import { type IamDeps } from './deps.js'
import { type BindingRequest, type BindingWrite, RoleBindingWrites } from './rolebindingwrites.js'
import { isDryRun, MetadataBody, typedMetadata } from '../../../tenancy/typedmetadata.js'
import { demandSelector, workspacePage } from './workspacelist.js'

const text = Type.Optional(Type.String())

const BindingBody = Type.Object({
  ...MetadataBody.properties,
  subjects: Type.Optional(
    Type.Union([
      Type.Array(Type.Object({ kind: Type.String(), name: Type.String(), apiGroup: text, namespace: text })),
      Type.Null(),
    ]),
  ),
  roleRef: Type.Object({ apiGroup: text, kind: text, name: Type.String() }),
})

const WORKSPACE_BINDINGS = '/workspaces/{workspace}/workspacerolebindings'
const PROJECT_BINDINGS = '/namespaces/{namespace}/rolebindings'

export function roleBindingRoutes(deps: IamDeps): Route[] {
  const { resources, stores } = deps
  const writes = new RoleBindingWrites(deps)
  return [
    route({
      method: 'GET',
      path: '/workspaces/{workspace}/rolebindings',
      summary: 'List the bindings in all projects of a workspace, one project after the other.',
      access: 'authorized',
      async handle({ params, query, client }) {
        demandSelector(query)
        await stores.ready(['rolebindings'], client)
        const kind = findKind('rolebindings', true) as AnyKind
        const { store } = resources.roleBindings.informer
        const parsed = parseListQuery(query)
        // The original pages each project by itself, and so do clients that read one page.
        const items = projectsOf(params.workspace, resources).flatMap((namespace) => {
          const source = { objects: [...store.byName(namespace)], consumed: [], selectable: true }
          return listPage(kind, parsed, namespace, stores, source).items
        })
        const comma = Buffer.from(',')
        const body = items.flatMap((item, position) => (position === 0 ? [item] : [comma, item]))
        return new Reply(200, JSON_TYPE, [Buffer.from('['), ...body, Buffer.from(']')])
      },
    }),
    route({
      method: 'GET',
      path: WORKSPACE_BINDINGS,
      summary: 'List the bindings of a workspace.',
      access: 'authorized',
      async handle({ params, query, client }) {
        demandSelector(query)
        const page = workspacePage('workspacerolebindings', params.workspace, query, { stores, client })
        return pageReply(await page)
      },
    }),
    route({
      method: 'POST',
      path: WORKSPACE_BINDINGS,
      summary: 'Bind users or groups to roles of a workspace: all of them, or none.',
      access: 'authorized',
      body: Type.Array(BindingBody, { title: '[]v1alpha2.WorkspaceRoleBinding' }),
      handle: ({ params, body, user, query }) =>
        writes.create(inWorkspace(params.workspace, user, query), body.map(requestOf)),
    }),
    route({
      method: 'DELETE',
      path: `${WORKSPACE_BINDINGS}/{rolebinding}`,
      summary: 'Delete one binding of a workspace.',
      access: 'authorized',
      async handle({ params, user, query }) {
        await writes.delete(inWorkspace(params.workspace, user, query), params.rolebinding)
        return { message: 'success' }
      },
    }),
    route({
      method: 'POST',
      path: PROJECT_BINDINGS,
      summary: 'Bind users or groups to roles of a project: all of them, or none.',
      access: 'authorized',
      body: Type.Array(BindingBody, { title: '[]v1.RoleBinding' }),
      handle: ({ params, body, user, query }) =>
        writes.create(inProject(params.namespace, user, query), body.map(requestOf)),
    }),
    route({
      method: 'DELETE',
      path: `${PROJECT_BINDINGS}/{rolebinding}`,
      summary: 'Delete one binding of a project.',
      access: 'authorized',
      async handle({ params, user, query }) {
        await writes.delete(inProject(params.namespace, user, query), params.rolebinding)
        return { message: 'success' }
      },
    }),
  ]
}

function inWorkspace(
  workspace: string,
  caller: BindingWrite['caller'],
  query: URLSearchParams,
): BindingWrite {
  return { place: { level: 'workspace', workspace }, caller, dryRun: isDryRun(query) }
}

function inProject(namespace: string, caller: BindingWrite['caller'], query: URLSearchParams): BindingWrite {
  return { place: { level: 'namespace', namespace }, caller, dryRun: isDryRun(query) }
}

function requestOf(body: Static<typeof BindingBody>): BindingRequest {
  return { metadata: typedMetadata(body), subjects: body.subjects ?? [], roleRef: body.roleRef }
}

/** Its namespaces, and those of its DevOps projects unless they say that they are another workspace's. */
function projectsOf(workspace: string, resources: TenancyResources): string[] {
  const { namespaces, devopsProjects } = resources
  const own = [...namespaces.labelled(WORKSPACE, workspace)].map(({ metadata }) => metadata.name ?? '')
  const ofDevOps = [...devopsProjects.labelled(WORKSPACE, workspace)].flatMap(({ status }) => {
    const name = status?.adminNamespace
    const owner = name === undefined ? undefined : namespaces.get(name)?.metadata.labels?.[WORKSPACE]
    return name !== undefined && [undefined, workspace].includes(owner) ? [name] : []
  })
  return [...new Set([...own, ...ofDevOps])]
}
