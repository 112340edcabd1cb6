/** Metrics and consumption of a tenant are seen by nobody else, whatever is asked. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { A, A1, B, B1, type Cast, createCast } from '../fixtures/cast.js'
import { type Product, startProduct } from '../fixtures/product.js'
import { type StandIn, startStandIn } from '../fixtures/prometheus.js'

const EMPTY = { status: 'success', data: { resultType: 'vector', result: [] } }
const MONITORING = '/kapis/monitoring.kubesphere.io/v1alpha3'
const METERING = '/kapis/tenant.kubesphere.io/v1alpha2/metering'

let scratch: string
let prometheus: StandIn
let product: Product
let cast: Cast

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'orrery-metrics-'))
  prometheus = await startStandIn(() => ({ status: 200, body: JSON.stringify(EMPTY) }))
  const config = join(scratch, 'kubesphere.yaml')
  writeFileSync(config, `monitoring:\n  endpoint: ${prometheus.url}\n`)
  product = await startProduct({ config })
  cast = await createCast(product)
}, 120_000)

afterAll(async () => {
  await product?.close()
  await prometheus?.close()
  rmSync(scratch, { recursive: true, force: true })
})

beforeEach(() => {
  prometheus.asked.length = 0
})

const queries = (): string[] => prometheus.asked.map(({ fields }) => fields.get('query') ?? '')

describe('a member of one project', () => {
  it.each([
    `up{namespace="${B1}"}`,
    `up{namespace=~".*"} or {namespace!="${A1}"}`,
    `up # {namespace="${B1}"}`,
  ])('who asks for %s asks about that project', async (expression) => {
    const path = `${MONITORING}/namespaces/${A1}/targets/query?expr=${encodeURIComponent(expression)}`

    expect((await (await cast.as('vic')).get(path)).status).toBe(200)

    expect(queries()).toHaveLength(1)
    expect(queries()[0]).toContain(`namespace="${A1}"`)
    expect(queries()[0]).not.toContain(B1)
  })

  it('cannot leave a matcher through a name or a filter', async () => {
    const evil = encodeURIComponent(`x"} or up{namespace="${B1}`)
    await (await cast.as('vic')).get(`${MONITORING}/namespaces/${A1}/pods/${evil}/containers/${evil}`)
    await (await cast.as('vic')).get(`${MONITORING}/namespaces/${A1}/workloads?resources_filter=${evil}`)

    expect(queries().length).toBeGreaterThan(0)
    for (const query of queries()) expect(query).not.toContain(`{namespace="${B1}`)
  })

  it('is refused in other projects before Prometheus is asked', async () => {
    expect((await (await cast.as('vic')).get(`${MONITORING}/namespaces/${B1}/pods`)).status).toBe(403)
    expect((await (await cast.as('vic')).get(`${MONITORING}/namespaces`)).status).toBe(403)

    expect(queries()).toEqual([])
  })
})

describe('consumption', () => {
  it('of all projects is that of the projects of the caller', async () => {
    expect((await (await cast.as('pview')).get(`${METERING}?level=LevelNamespace`)).status).toBe(200)

    expect(queries().length).toBeGreaterThan(0)
    for (const query of queries()) expect(query).toContain(`namespace=~"${A1}"`)
  })

  it('of one project, by workload, is that of members alone', async () => {
    const hierarchy = (namespace: string): string =>
      `/kapis/tenant.kubesphere.io/v1alpha2/namespaces/${namespace}/metering/hierarchy`
    const pview = await cast.as('pview')

    const foreign = await pview.get(hierarchy(B1))

    expect(foreign).toMatchObject({ status: 400, text: 'scope [Namespace] not allowed\n' })
    expect(queries()).toEqual([])

    expect((await pview.get(hierarchy(A1))).json).toEqual({
      openpitrixs: null,
      apps: null,
      deployments: null,
      statefulsets: null,
      daemonsets: null,
    })
    for (const query of queries()) expect(query).toContain(`namespace="${A1}"`)
  })

  it('of nobody is asked for by those who are in no project', async () => {
    const { status, json } = await (await cast.as('nob')).get(`${METERING}?level=LevelNamespace`)

    expect(status).toBe(200)
    for (const { data } of json.results) expect(data.result).toBeUndefined()
    expect(queries()).toEqual([])
  })

  it.each([
    ['level=LevelCluster', 'scope [Cluster] not allowed\n'],
    [`level=LevelWorkspace&workspace=${B}`, 'scope [Workspace] not allowed\n'],
    [`level=LevelNamespace&namespace=${B1}`, 'scope [Namespace] not allowed\n'],
    [`level=LevelPod&workspace=${A}`, 'scope [Namespace] not allowed\n'],
    ['level=LevelMoon', 'Parmameter [level] not found\n'],
  ])('by %s is refused to a member of one workspace', async (query, text) => {
    expect(await (await cast.as('vic')).get(`${METERING}?${query}`)).toMatchObject({ status: 400, text })
    expect(queries()).toEqual([])
  })
})
