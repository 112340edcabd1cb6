/** Deny by default: every route that the product declares refuses whoever has no role. */
import { expect, it } from 'vitest'
import { startAllInOne } from '../../src/cmd/up.js'
import { send } from '../../src/client/transport.js'
import { SILENT } from '../../src/serving/log.js'
import { expectRefusals } from '../serving/everyroute.js'

/**
 * What the role of everybody who has logged in allows: lists that handlers narrow to the caller, and how the cluster
 * and its nodes are doing.
 */
const OPEN = new RegExp(
  [
    'GET /kapis/iam\\.kubesphere\\.io/v1alpha2/users',
    'GET /kapis/tenant\\.kubesphere\\.io/.*',
    'PATCH /kapis/tenant\\.kubesphere\\.io/v1alpha3/workspacetemplates/[^/]*',
    'GET /kapis/(?:monitoring|metering)\\.kubesphere\\.io/[^/]*/(?:cluster|nodes|nodes/[^/]*)',
  ]
    .map((pattern) => `^${pattern}$`)
    .join('|'),
)

it('every declared route refuses anonymous callers and a user without roles', async () => {
  const product = await startAllInOne(
    {
      dataDir: '.orrery',
      memory: true,
      port: 0,
      bindAddress: '127.0.0.1',
      kubePort: 0,
      nodes: 0,
      logLevel: 'error',
    },
    SILENT,
  )
  try {
    const user = {
      apiVersion: 'iam.kubesphere.io/v1alpha2',
      kind: 'User',
      metadata: { name: 'powerless' },
      spec: { email: 'powerless@example.com', password: 'P@88w0rd' },
    }
    const made = await send(product.upstream, {
      method: 'POST',
      path: '/apis/iam.kubesphere.io/v1alpha2/users',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(user)),
    })
    expect(made.status).toBe(201)
    let token: string | undefined
    await expect
      .poll(async () => (token = await tokenOf(product.url)), { timeout: 15_000, interval: 200 })
      .toBeTypeOf('string')

    const port = Number(new URL(product.url).port)
    const walked = await expectRefusals(
      port,
      product.groups,
      { authorization: `Bearer ${token ?? ''}` },
      (method, path) => OPEN.test(`${method} ${path}`),
    )

    expect(walked).toBeGreaterThan(30)
  } finally {
    await product.close()
  }
}, 60_000)

async function tokenOf(base: string): Promise<string | undefined> {
  const form = {
    grant_type: 'password',
    username: 'powerless',
    password: 'P@88w0rd',
    client_id: 'kubesphere',
    client_secret: 'kubesphere',
  }
  const answer = await fetch(`${base}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) })
  return ((await answer.json()) as { access_token?: string }).access_token
}
