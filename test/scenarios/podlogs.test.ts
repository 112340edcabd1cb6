/** Log lines of projects, as those find them who ask for all they may see. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { A1, B1, type Cast, createCast, eventually, good } from '../fixtures/cast.js'
import { type Client, type Product, startProduct } from '../fixtures/product.js'

const TENANT = '/kapis/tenant.kubesphere.io/v1alpha2'

const directory = mkdtempSync(join(tmpdir(), 'orrery-scenarios-logs-'))
let product: Product
let cast: Cast

beforeAll(async () => {
  const config = join(directory, 'kubesphere.yaml')
  writeFileSync(config, 'records: { enabled: true }\n')
  product = await startProduct({ config, nodes: 1 })
  cast = await createCast(product)
})

afterAll(async () => {
  await product?.close()
  rmSync(directory, { recursive: true, force: true })
})

async function logsFor(client: Client): Promise<{ status: number; namespaces: Set<string | undefined> }> {
  const { status, json } = await client.get(`${TENANT}/logs?size=1000`)
  const records = (json.query?.records ?? []) as { namespace?: string }[]
  return { status, namespaces: new Set(records.map(({ namespace }) => namespace)) }
}

describe('log lines', () => {
  it('are those of the own workspace, all for administrators, and none for strangers', async () => {
    const { root } = cast
    for (const namespace of [A1, B1])
      good(
        await root.post(`/api/v1/namespaces/${namespace}/pods`, {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'talker' },
          spec: { containers: [{ name: 'main', image: 'nginx' }] },
        }),
      )

    await eventually(async () => {
      const all = await logsFor(root)
      expect([...all.namespaces]).toEqual(expect.arrayContaining([A1, B1]))
    })

    expect(await logsFor(await cast.as('vic'))).toEqual({ status: 200, namespaces: new Set([A1]) })
    expect(await logsFor(await cast.as('nob'))).toEqual({ status: 200, namespaces: new Set() })
  })
})
