/** Whatever a client of the tenant API sends, it is told what is wrong with it; nothing fails on it. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { everyRoute } from '../../src/serving/everyroute.js'
import { A, A1, type Cast, createCast } from '../fixtures/cast.js'
import { type Product, startProduct } from '../fixtures/product.js'

const IAM = '/kapis/iam.kubesphere.io/v1alpha2'
const RESOURCES = '/kapis/resources.kubesphere.io/v1alpha3'

let product: Product
let cast: Cast

beforeAll(async () => {
  product = await startProduct()
  cast = await createCast(product)
})

afterAll(() => product.close())

const patch = (path: unknown, value: unknown = 5, op = 'add') => [{ op, path, value }]
const named = (name: unknown, more: object = {}) => ({ metadata: { name, ...more } })

const BODIES: readonly unknown[] = [
  ...[null, 1, 'x', [], {}, [[]], [null], [{}], [{ op: 'add' }]],
  ...[
    patch(1),
    patch('/spec/placement'),
    patch('/metadata'),
    patch('/metadata/labels'),
    patch('/__proto__/x'),
  ],
  ...[patch('/metadata', 0, 'remove'), patch('/metadata/name', 0, 'remove'), patch('', [], 'replace')],
  ...[{ metadata: 1 }, { metadata: [] }, named(5), named('x'.repeat(300)), named('../x'), named('a%2fb')],
  ...[named(A, { labels: 5 }), named(A1, { labels: { a: 5 } }), named(A, { labels: { 'bad key!': 'x' } })],
  ...[
    named(A, { resourceVersion: 5 }),
    named(A, { resourceVersion: 'zz' }),
    named(A1, { resourceVersion: 'zz' }),
  ],
  ...[{ metadata: { resourceVersion: 'zz', labels: { a: 'b' } } }, { metadata: { finalizers: 5, uid: 7 } }],
  ...[
    5,
    { template: 5 },
    { placement: 7 },
    { placement: { clusters: 5 } },
    { placement: { clusters: [5] } },
  ].flatMap((spec) => [{ spec }, { ...named(A), spec }]),
  ...[{ spec: { template: { spec: { manager: {} } } } }, { spec: { overrides: 5 } }],
  ...[-1, 'zz', {}].map((pods) => ({ ...named('q'), spec: { quota: { hard: { pods } } } })),
  ...[{ dryRun: 5, preconditions: 7 }, { preconditions: { uid: 'other' } }],
  JSON.parse('{"__proto__":{"x":1},"metadata":{"labels":{"__proto__":"x"}}}'),
]

it('no body of a write is answered by a failure of the server', async () => {
  const clients = [cast.root, await cast.as('ana')]
  const failures: string[] = []
  for (const { route, path } of everyRoute(product.groups)) {
    if (!path.includes('/tenant.kubesphere.io/') || route.method === 'GET') continue
    const target = path.replace('{workspace}', A).replace('{namespace}', A1).replace('{resourcequota}', A)
    for (const body of BODIES)
      for (const type of ['application/json', 'application/json-patch+json'])
        for (const client of clients) {
          const { status, text } = await client.request(route.method, `${target}?dryRun=All`, body, {
            'content-type': type,
          })
          if (status >= 500)
            failures.push(`${status} ${route.method} ${path} ${JSON.stringify(body)}: ${text}`)
        }
  }
  expect(failures).toEqual([])
}, 120_000)

it('no query of a list is refused', async () => {
  const lists = ['workspaces', 'namespaces', 'clusters', 'federatednamespaces', `workspaces/${A}/namespaces`]
  const queries = [
    'limit=x',
    'page=-1',
    'limit=-5',
    'labelSelector=((',
    'label=%00',
    'name=%ff',
    'names=',
    'uid=',
  ]

  for (const list of [...lists, `workspaces/${A}/devops`, `workspaces/${A}/workspacemembers/vic/namespaces`])
    for (const query of queries) {
      const { status } = await cast.root.get(`/kapis/tenant.kubesphere.io/v1alpha2/${list}?${query}`)
      expect(status, `${list}?${query}`).toBe(200)
    }
})

it('no filter or order called like something every object has makes a list fail', async () => {
  const lists = [
    ...['users', 'globalroles', 'clustermembers', `workspaces/${A}/groups`].map((path) => `${IAM}/${path}`),
    ...['pods', 'deployments', 'ingresses', `namespaces/${A1}/configmaps`].map(
      (path) => `${RESOURCES}/${path}`,
    ),
  ]
  for (const name of ['constructor', 'toString', '__proto__'])
    for (const list of lists) {
      for (const query of [`${name}=x`, `label=${name}`, `annotation=${name}`]) {
        const { json } = await cast.root.get(`${list}?${query}`)
        expect(json, `${list}?${query}`).toEqual({ items: [], totalItems: 0 })
      }
      expect((await cast.root.get(`${list}?sortBy=${name}`)).status, `${list}?sortBy=${name}`).toBe(200)
    }
  const pods = await cast.root.get('/api/v1/pods?fieldSelector=__proto__=x')
  expect(pods.json.message).toBe('field label not supported: __proto__')
})

it('a body of the wrong shape is refused in the words that clients of the original show', async () => {
  const refused: [string, string, unknown, string][] = [
    ['POST', `${IAM}/users`, [], 'array into Go value of type v1alpha2.User'],
    ['PUT', `${IAM}/users/vic/password`, 7, 'number into Go value of type v1alpha2.PasswordReset'],
    ['POST', `${IAM}/namespaces/${A1}/members`, {}, 'object into Go value of type []v1alpha2.Member'],
    ['POST', `${IAM}/clusterroles`, true, 'bool into Go value of type v1.ClusterRole'],
    ['PATCH', `${IAM}/workspaces/${A}/groups/x`, [], 'array into Go value of type v1alpha2.Group'],
    ['POST', `${IAM}/namespaces/${A1}/rolebindings`, {}, 'object into Go value of type []v1.RoleBinding'],
    [
      'POST',
      '/kapis/tenant.kubesphere.io/v1alpha2/workspaces',
      'x',
      'string into Go value of type v1alpha2.WorkspaceTemplate',
    ],
  ]
  for (const [method, path, body, words] of refused)
    expect(await cast.root.request(method, path, body)).toMatchObject({
      status: 400,
      text: `json: cannot unmarshal ${words}\n`,
    })
})
