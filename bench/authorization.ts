/** What one decision costs, by the number of bindings around it. It must not grow with them. */
import { type Attributes } from '../src/authorization/interface.js'
import { type RoleKind } from '../src/authorization/objects.js'
import { RbacAuthorizer } from '../src/authorization/rbac.js'
import { RoleBook } from '../src/authorization/rolebook.js'
import { SILENT } from '../src/serving/log.js'
import { type Report, row } from './_report.js'

const DECISIONS = 200_000

export function run(report: Report): void {
  for (const bindings of [200, 2_000, 20_000])
    report.add(
      row(`authorization/${bindings}`, `one decision, ${bindings} bindings`, {
        value: measure(bindings) / 1_000,
        unit: 'µs',
        atMost: 5,
      }),
    )
}

/** The worst case of a namespace: allowed by the last place that is looked at, after the others. */
function measure(bindings: number): number {
  const view = [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'services'] }]
  const rules: Partial<Record<RoleKind, typeof view>> = {
    GlobalRole: view.slice(1),
    WorkspaceRole: [],
    ClusterRole: view,
  }
  const book = new RoleBook({
    logger: SILENT,
    findRole: (kind, _, name) => rules[kind] && { metadata: { name }, rules: rules[kind] },
  })
  const user = (name: string) => [{ kind: 'User', name }]
  book.setBinding('GlobalRoleBinding', {
    metadata: { name: 'all' },
    roleRef: { kind: 'GlobalRole', name: 'authenticated' },
    subjects: [{ kind: 'Group', name: 'system:authenticated' }],
  })
  for (let i = 0; i < bindings; i++) {
    const kinds = ['RoleBinding', 'WorkspaceRoleBinding', 'ClusterRoleBinding'] as const
    for (const kind of kinds) {
      book.setBinding(kind, {
        metadata: { name: `b${i}`, namespace: 'dev', labels: { 'kubesphere.io/workspace': 'blue' } },
        roleRef:
          kind === 'WorkspaceRoleBinding'
            ? { kind: 'WorkspaceRole', name: 'w' }
            : { kind: 'ClusterRole', name: 'view' },
        subjects: user(kind === 'RoleBinding' ? `other${i}` : `u${i}`),
      })
    }
  }
  const authorizer = new RbacAuthorizer({
    book,
    places: { workspaceOf: () => 'blue', devopsProject: () => undefined },
  })
  const request: Attributes = {
    path: '/api/v1/namespaces/dev/pods',
    verb: 'list',
    isResourceRequest: true,
    isKubernetesRequest: true,
    apiGroup: '',
    apiVersion: 'v1',
    cluster: '',
    workspace: '',
    namespace: 'dev',
    devops: '',
    resource: 'pods',
    subresource: '',
    name: '',
    resourceScope: 'Namespace',
    user: { name: 'u7', groups: ['system:authenticated'] },
  }
  let best = Infinity
  for (let round = 0; round < 5; round++) {
    const startedAt = performance.now()
    for (let i = 0; i < DECISIONS; i++) void authorizer.authorize(request)
    best = Math.min(best, performance.now() - startedAt)
  }
  return Math.round((best * 1e6) / DECISIONS)
}
