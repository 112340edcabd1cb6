/**
 * Who gets through where: every declared route and what goes on to the Kubernetes API, asked by everybody, in their own workspace and in a foreign one.
 *
 * The table is kept beside this test. A change of it is a change of who may do what and is reviewed as such; a route
 * that is new or gone changes it. Run with `-u` to write it anew.
 *
 * One sign per answer: `-` refused (401 or 403), `0` not found, `+` anything else. Writes are dry runs with an empty
 * body, so `+` says that the caller got past authorization, not that the write is good.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { everyRoute } from '../../src/serving/everyroute.js'
import { A, A1, B, B1, type Cast, createCast, type Person } from '../fixtures/cast.js'
import { type Client, type Product, startProduct } from '../fixtures/product.js'

let product: Product
let cast: Cast

beforeAll(async () => {
  product = await startProduct()
  cast = await createCast(product)
}, 120_000)

afterAll(() => product?.close())

const CALLERS: readonly (Person | 'anonymous')[] = [
  ...(['anonymous', 'bare', 'nob', 'um', 'wm', 'root'] as const),
  ...(['ana', 'sp', 'reg', 'vic', 'ben', 'padmin', 'oper', 'pview'] as const),
]

interface Scope {
  workspace: string
  namespace: string
  /** Of routes about one user. */
  user: (caller: string) => string
}

/** Own and foreign, as most callers see it; ben sees it the other way round. */
const SCOPES: Readonly<Record<'own' | 'foreign', Scope>> = {
  own: { workspace: A, namespace: A1, user: (caller) => (caller === 'root' ? 'admin' : caller) },
  foreign: { workspace: B, namespace: B1, user: () => 'reg' },
}

/** What the Kubernetes API is asked through the platform; its objects are many, so these stand for the others. */
const PROXIED: readonly { method: string; path: string }[] = [
  ...['GET', 'POST'].flatMap((method) => [
    { method, path: '/api/v1/namespaces' },
    { method, path: '/api/v1/namespaces/{namespace}/configmaps' },
    { method, path: '/api/v1/namespaces/{namespace}/secrets' },
    { method, path: '/api/v1/namespaces/{namespace}/serviceaccounts' },
    { method, path: '/api/v1/namespaces/{namespace}/pods/nothing/exec' },
    { method, path: '/apis/apps/v1/namespaces/{namespace}/deployments' },
    { method, path: '/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles' },
    { method, path: '/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings' },
    { method, path: '/apis/rbac.authorization.k8s.io/v1/clusterroles' },
    { method, path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings' },
    { method, path: '/apis/iam.kubesphere.io/v1alpha2/users' },
    { method, path: '/apis/iam.kubesphere.io/v1alpha2/globalroles' },
    { method, path: '/apis/iam.kubesphere.io/v1alpha2/globalrolebindings' },
    { method, path: '/apis/iam.kubesphere.io/v1alpha2/workspaceroles' },
    { method, path: '/apis/iam.kubesphere.io/v1alpha2/workspacerolebindings' },
    { method, path: '/apis/tenant.kubesphere.io/v1alpha2/workspacetemplates' },
    { method, path: '/apis/cluster.kubesphere.io/v1alpha1/clusters' },
    { method, path: '/api/v1/nodes/nothing/proxy/pods' },
  ]),
  ...['GET', 'PATCH', 'DELETE'].flatMap((method) => [
    { method, path: '/api/v1/namespaces/{namespace}' },
    { method, path: '/apis/iam.kubesphere.io/v1alpha2/users/{user}' },
    { method, path: '/apis/tenant.kubesphere.io/v1alpha1/workspaces/{workspace}' },
    { method, path: '/apis/tenant.kubesphere.io/v1alpha2/workspacetemplates/{workspace}' },
  ]),
]

/** Parameter → what is really there. Others are filled with a name that nothing has. */
function filled(path: string, { workspace, namespace, user }: Scope, caller: string): string {
  const values: Record<string, string> = {
    workspace,
    namespace,
    user: user(caller),
    globalrole: 'platform-regular',
    clusterrole: 'cluster-viewer',
    workspacerole: `${workspace}-viewer`,
    role: 'viewer',
    workspacemember: 'reg',
    member: 'pview',
    resources: 'configmaps',
    resourcequota: workspace,
  }
  return path.replace(/\{(\w+)(?::[^}]*)?\}/g, (_, name: string) => values[name] ?? 'nothing')
}

const SIGNS: Readonly<Record<number, string>> = { 401: '-', 403: '-', 404: '0' }

it('is as reviewed', async () => {
  const clients: Client[] = []
  for (const caller of CALLERS)
    clients.push(caller === 'anonymous' ? product.withToken(undefined) : await cast.as(caller))

  const rows: string[] = []
  const routes = [...everyRoute(product.groups)].map(({ route, path }) => ({ method: route.method, path }))
  // Whoever has logged out is refused everywhere.
  routes.sort((a, b) => Number(a.path === '/oauth/logout') - Number(b.path === '/oauth/logout'))
  for (const { method, path } of [...PROXIED, ...routes]) {
    const isScoped = /\{(workspace|namespace|user)\}/.test(path)
    for (const scope of isScoped ? (['own', 'foreign'] as const) : (['own'] as const)) {
      let signs = ''
      for (const [position, caller] of CALLERS.entries()) {
        const target = filled(path, SCOPES[scope], caller)
        const isWrite = method !== 'GET'
        const query = isWrite ? '?dryRun=All' : ''
        // Deleting nothing shows as much as deleting something.
        const named = method === 'DELETE' ? target.replace(/[^/]+$/, 'nothing') : target
        const client = clients[position] as Client
        const headers = method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {}
        const { status } = await client.request(method, named + query, isWrite ? {} : undefined, headers)
        signs += SIGNS[status] ?? '+'
      }
      rows.push(`${signs}  ${scope.padEnd(7)}  ${method.padEnd(6)} ${path}`)
    }
  }

  const legend = CALLERS.map((caller, position) => `${'|'.repeat(position)}${caller}`)
  await expect(`${legend.join('\n')}\n\n${rows.join('\n')}\n`).toMatchFileSnapshot('access-matrix.txt')
}, 120_000)
