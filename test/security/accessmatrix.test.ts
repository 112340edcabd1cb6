/**
 * Who gets through where: every declared route, asked by everybody, in their own workspace and in a foreign one.
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
  own: { workspace: A, namespace: A1, user: (caller) => caller },
  foreign: { workspace: B, namespace: B1, user: () => 'reg' },
}

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
  for (const { route, path } of everyRoute(product.groups)) {
    const isScoped = /\{(workspace|namespace|user)\}/.test(path)
    for (const scope of isScoped ? (['own', 'foreign'] as const) : (['own'] as const)) {
      let signs = ''
      for (const [position, caller] of CALLERS.entries()) {
        const target = filled(path, SCOPES[scope], caller)
        const isWrite = route.method !== 'GET'
        const query = isWrite ? '?dryRun=All' : ''
        // Deleting nothing shows as much as deleting something.
        const named = route.method === 'DELETE' ? target.replace(/[^/]+$/, 'nothing') : target
        const client = clients[position] as Client
        const { status } = await client.request(route.method, named + query, isWrite ? {} : undefined)
        signs += SIGNS[status] ?? '+'
      }
      rows.push(`${signs}  ${scope.padEnd(7)}  ${route.method.padEnd(6)} ${path}`)
    }
  }

  const legend = CALLERS.map((caller, position) => `${'|'.repeat(position)}${caller}`)
  await expect(`${legend.join('\n')}\n\n${rows.join('\n')}\n`).toMatchFileSnapshot('access-matrix.txt')
}, 120_000)
