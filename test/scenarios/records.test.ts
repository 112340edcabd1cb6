/** Events of projects, as those find them who ask for all they may see. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { A, type Cast, createCast, eventually, good } from '../fixtures/cast.js'
import { type Client, type Product, startProduct } from '../fixtures/product.js'

const TENANT = '/kapis/tenant.kubesphere.io/v1alpha2'

const directory = mkdtempSync(join(tmpdir(), 'orrery-scenarios-records-'))
let product: Product
let cast: Cast

beforeAll(async () => {
  const config = join(directory, 'kubesphere.yaml')
  writeFileSync(config, 'records: { enabled: true }\n')
  product = await startProduct({ config })
  cast = await createCast(product)
})

afterAll(async () => {
  await product?.close()
  rmSync(directory, { recursive: true, force: true })
})

interface Record {
  metadata: { name: string }
  involvedObject?: { name?: string }
}

async function eventsFor(client: Client, name: string): Promise<Record[]> {
  const found = new Map<string, Record>()
  // Filters would narrow what administrators are shown, too: so the oldest and the newest are looked at.
  for (const sort of ['asc', 'desc']) {
    const { status, json } = await client.get(`${TENANT}/events?size=100&sort=${sort}`)
    expect(status).toBe(200)
    for (const record of (json.query.records ?? []) as Record[])
      if (record.involvedObject?.name === name) found.set(record.metadata.name, record)
  }
  return [...found.values()]
}

describe('a project that has the name of an earlier one', () => {
  it('does not show the Events of that one to its new administrator', async () => {
    const { root } = cast
    const sp = await cast.as('sp')
    const AGAIN = 'alpha-again'
    const project = { metadata: { name: AGAIN } }
    const event = (name: string, at: Date): object => {
      const time = at.toISOString().replace(/\.\d+Z$/, 'Z')
      return {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name, namespace: AGAIN },
        involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: AGAIN, name },
        reason: 'Told',
        message: 'what only the first may know',
        type: 'Normal',
        firstTimestamp: time,
        lastTimestamp: time,
      }
    }
    const tell = async (name: string, at: Date): Promise<void> => {
      good(await root.post(`/api/v1/namespaces/${AGAIN}/events`, event(name, at)))
      await eventually(async () => expect(await eventsFor(root, name)).toHaveLength(1))
    }
    good(await root.post(`${TENANT}/workspaces/${A}/namespaces`, project))
    const told = Date.now()
    await tell('of-the-first', new Date(told))
    good(await root.delete(`${TENANT}/workspaces/${A}/namespaces/${AGAIN}`))
    await eventually(async () => expect((await root.get(`/api/v1/namespaces/${AGAIN}`)).status).toBe(404))

    // Times of objects are whole seconds.
    await eventually(async () => expect(Date.now()).toBeGreaterThan(told + 2_000))
    good(await sp.post(`${TENANT}/workspaces/${A}/namespaces`, project))
    await eventually(async () => expect((await sp.get(`/api/v1/namespaces/${AGAIN}/pods`)).status).toBe(200))
    await tell('of-the-second', new Date())

    await eventually(async () => expect(await eventsFor(sp, 'of-the-second')).toHaveLength(1))
    expect(await eventsFor(sp, 'of-the-first')).toEqual([])
  })
})
