/**
 * The scenarios of observability.md §7 that concern metrics, consumption and alerting rules, by their number, over HTTP. 37 to
 * 46, 52 and 53 are those of logs, Events and audit, in their own tests; 20 and 51 are in test/e2e/edgenodes.test.ts, too.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { A, A1, B1, type Cast, createCast, eventually, good } from '../fixtures/cast.js'
import { type Answer, type Client, type Product, startProduct } from '../fixtures/product.js'
import { type Answered, type Asked, type StandIn, startStandIn } from '../fixtures/prometheus.js'

const MONITORING = '/kapis/monitoring.kubesphere.io/v1alpha3'
const METERING = '/kapis/metering.kubesphere.io/v1alpha1'
const TENANT_METERING = '/kapis/tenant.kubesphere.io/v1alpha2/metering'
const ALERTING = '/kapis/alerting.kubesphere.io/v2alpha1'
const SYSTEM = 'kubesphere-monitoring-system'
const HOUR = 3_600

type Labelled = [labels: Record<string, string>, value: string]

const ok = (resultType: string, result: object[]): Answered => ({
  status: 200,
  body: JSON.stringify({ status: 'success', data: { resultType, result } }),
})
const NOTHING = ok('vector', [])
const vector = (...series: Labelled[]): Answered =>
  ok(
    'vector',
    series.map(([metric, value]) => ({ metric, value: [1_700_000_000, value] })),
  )
/** At each step of what is asked. */
function matrix({ fields }: Asked, ...series: Labelled[]): Answered {
  const [start, end, step] = ['start', 'end', 'step'].map((name) => Number.parseFloat(fields.get(name) ?? ''))
  const times: number[] = []
  for (let at = start ?? 0; at <= (end ?? 0); at += step ?? 1) times.push(at)
  return ok(
    'matrix',
    series.map(([metric, value]) => ({ metric, values: times.map((at) => [at, value]) })),
  )
}

let scratch: string
let prometheus: StandIn
let product: Product
let cast: Cast
let reply: (asked: Asked) => Answered
let root: Client

const questions = (): string[] => prometheus.asked.map(({ fields }) => fields.get('query') ?? '')
const get = (path: string): Promise<Answer> => root.get(MONITORING + path)

interface Shown {
  metric_name: string
  error?: string
  data: {
    resultType?: string
    result?: { metric?: Record<string, string>; value?: [number, string]; values?: [number, string][] }[]
  }
}
const results = ({ json }: Answer): Shown[] => (json as { results: Shown[] }).results
const names = (answer: Answer): string[] => results(answer).map(({ metric_name }) => metric_name)

async function setUp(monitoring: object): Promise<void> {
  const config = join(scratch, 'kubesphere.yaml')
  writeFileSync(config, JSON.stringify(monitoring))
  product = await startProduct({ config })
  cast = await createCast(product)
  ;({ root } = cast)
}

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'orrery-scenarios-'))
})
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

describe('scenarios of metrics', () => {
  beforeAll(async () => {
    prometheus = await startStandIn((asked) => reply(asked))
    const endpoint = prometheus.url
    const priceInfo = { currencyUnit: 'CNY', cpuPerCorePerHour: 0.5 }
    await setUp({
      monitoring: { endpoint },
      metering: { billing: { priceInfo } },
      alerting: { prometheusEndpoint: endpoint, thanosRulerEndpoint: endpoint },
    })
  }, 120_000)

  afterAll(async () => {
    await product?.close()
    await prometheus?.close()
  })

  beforeEach(() => {
    prometheus.asked.length = 0
    reply = () => NOTHING
  })

  it('1. two metrics by name, with seven empty texts', async () => {
    reply = () => vector([{}, '3'])
    const answer = await get('/cluster?metrics_filter=cluster_cpu_usage|cluster_memory_total$')

    expect(names(answer).sort()).toEqual(['cluster_cpu_usage', 'cluster_memory_total'])
    for (const { data } of results(answer)) {
      expect(data.resultType).toBe('vector')
      const { value: _, metric: __, ...texts } = data.result?.[0] ?? {}
      expect(texts).toEqual(
        Object.fromEntries(
          ['min_value', 'max_value', 'avg_value', 'sum_value', 'fee', 'resource_unit', 'currency_unit'].map(
            (name) => [name, ''],
          ),
        ),
      )
    }
  })

  it.each(['/cluster', '/nodes', '/workspaces', '/namespaces', `/namespaces/${A1}/pods`])(
    '2. a filter that is no expression chooses nothing: %s',
    async (path) => {
      const answer = await get(`${path}?metrics_filter=(`)

      expect([answer.status, answer.json]).toEqual([200, { results: null }])
    },
  )

  it('3. meters are not metrics', async () => {
    expect((await get('/cluster?metrics_filter=meter_cluster_cpu_usage')).json).toEqual({ results: null })
  })

  it('4. and 47. a start without an end is refused in plain text that ends with a newline', async () => {
    const answer = await get('/cluster?start=1700000000')

    expect(answer.status).toBe(400)
    expect(answer.headers?.get('content-type')).toMatch(/^text\/plain/)
    expect(answer.text).toMatch(
      /'time' and the combination of 'start' and 'end' are mutually exclusive\.\s*\n$/,
    )
  })

  it('5. a range of one moment has one point a series', async () => {
    reply = (asked) => matrix(asked, [{}, '1'])
    const [shown] = results(
      await get('/cluster?metrics_filter=cluster_cpu_usage$&start=1700000000&end=1700000000'),
    )

    expect(shown?.data.result?.map(({ values }) => values?.length)).toEqual([1])
  })

  it('6. steps are in hours at most', async () => {
    const range = 'metrics_filter=cluster_cpu_usage$&start=1700000000&end=1700090000'

    expect((await get(`/cluster?${range}&step=1d`)).status).toBe(400)
    expect((await get(`/cluster?${range}&step=24h`)).status).toBe(200)
  })

  it('7. a range begins in the life of the namespace, a number of steps before its end', async () => {
    const born = Date.parse(
      good(await root.get(`/api/v1/namespaces/${A1}`)).json.metadata.creationTimestamp as string,
    )
    const end = born / 1_000 + 25 * 60
    prometheus.asked.length = 0
    await get(
      `/namespaces/${A1}?metrics_filter=namespace_cpu_usage$&start=${end - 2 * HOUR}&end=${end}&step=10m`,
    )

    const [asked] = prometheus.asked
    expect([asked?.fields.get('start'), asked?.fields.get('end')].map(Number)).toEqual([end - 20 * 60, end])
  })

  it('8. before the namespace there are all its metrics, without data', async () => {
    const answer = await get(`/namespaces/${A1}?metrics_filter=namespace_cpu_usage&time=1500000000`)

    expect(answer.status).toBe(200)
    expect(names(answer)).toEqual(
      expect.arrayContaining(['namespace_cpu_usage', 'namespace_pod_count', 'meter_namespace_cpu_usage']),
    )
    expect(results(answer).every(({ data }) => Object.keys(data).length === 0)).toBe(true)
    expect(questions()).toEqual([])
  })

  it('9. a namespace that is not there is a fault of who asks', async () => {
    const answer = await get('/namespaces/missing?metrics_filter=namespace_cpu_usage$')

    expect(answer.status).toBe(400)
    expect(answer.text).toContain('"missing" not found')
  })

  describe('ranked', () => {
    /** A place that is kept. */
    const NOBODY = undefined
    const node = (name: string): Record<string, string> => ({ node: name })
    const ranked = '/nodes?metrics_filter=node_cpu_utilisation|node_memory_utilisation$'
    const order = (answer: Answer): (string | undefined)[][] =>
      results(answer).map(({ data }) => (data.result ?? []).map(({ metric }) => metric?.['node']))
    beforeEach(() => {
      reply = ({ fields }) =>
        fields.get('query')?.includes('cpu')
          ? vector([node('a'), '1'], [node('b'), 'NaN'], [node('c'), '3'])
          : vector([node('d'), '5'])
    })

    it('10. resources stand at the same place in every metric', async () => {
      const answer = await get(`${ranked}&sort_metric=node_cpu_utilisation&limit=10`)

      expect(order(answer)).toEqual([
        ['c', 'a', 'b', NOBODY],
        [NOBODY, NOBODY, NOBODY, 'd'],
      ])
      expect(answer.json).toMatchObject({ total_item: 4 })
    })

    it('11. by a metric that is not there: by name', async () => {
      const answer = await get(`${ranked}&sort_metric=nothing&limit=10`)

      expect(answer.status).toBe(200)
      expect(order(answer)[0]).toEqual(['a', 'b', 'c', NOBODY])
    })

    it('12. beyond the end there is no result', async () => {
      const answer = await get(`${ranked}&sort_metric=node_cpu_utilisation&page=9`)

      expect(results(answer).every(({ data }) => data.result === undefined)).toBe(true)
      expect(answer.json).toMatchObject({ page: 9, total_page: 1 })
    })

    it('13. a page is looked at only beside a metric to sort by', async () => {
      expect((await get(`${ranked}&page=0`)).status).toBe(200)
      const answer = await get(`${ranked}&page=0&sort_metric=node_cpu_utilisation`)
      expect([answer.status, answer.text.includes("Invalid parameter 'page'")]).toEqual([400, true])
    })
  })

  it('14. numbers have no exponent', async () => {
    reply = () => vector([{ n: '1' }, '1e21'], [{ n: '2' }, '1e-06'], [{ n: '3' }, '+Inf'])
    const [shown] = results(await get('/cluster?metrics_filter=cluster_cpu_usage$'))

    expect(shown?.data.result?.map(({ value }) => value?.[1])).toEqual([
      '1000000000000000000000',
      '0.000001',
      '+Inf',
    ])
  })

  it('15. a Prometheus that fails is an error of each metric', async () => {
    reply = () => ({ status: 503, body: 'down' })
    const answer = await get('/cluster')

    expect(answer.status).toBe(200)
    expect(results(answer).length).toBeGreaterThan(20)
    for (const { error, data } of results(answer)) {
      expect(error).toBeTruthy()
      expect(data).toEqual({})
    }
  })

  it('a metric that takes Prometheus too long has an error, and the others their data', async () => {
    reply = ({ fields }) =>
      fields.get('query')?.includes('memory')
        ? { status: 503, body: JSON.stringify({ status: 'error', errorType: 'timeout', error: 'too slow' }) }
        : vector([{}, '1'])
    const answer = await get('/cluster?metrics_filter=cluster_cpu_usage|cluster_memory_total$')

    expect(answer.status).toBe(200)
    expect(results(answer)).toMatchObject([
      { metric_name: 'cluster_cpu_usage', data: { resultType: 'vector' } },
      { metric_name: 'cluster_memory_total', error: 'timeout: too slow', data: {} },
    ])
  })

  it.each([
    [MONITORING, 'pod_cpu_usage$'],
    [METERING, 'meter_pod_cpu_usage$'],
  ])('a pod on a node is found by namespace%%2Fpod below %s', async (group, filter) => {
    const answer = await root.get(`${group}/nodes/n1/pods/a%2Fp1?metrics_filter=${filter}`)

    expect(answer.status).toBe(200)
    expect(questions()[0]).toContain('namespace="a"')
    expect(questions()[0]).toContain('pod="p1"')
    expect(questions()[0]).toContain('node="n1"')
  })

  it('16. an expression of a project asks about the project', async () => {
    await get(
      `/namespaces/${A1}/targets/query?expr=${encodeURIComponent('sum(up{namespace="kube-system"})')}`,
    )

    expect(questions()).toEqual([`sum(up{namespace="${A1}"})`])
  })

  it('17. an expression with a fault is refused in a project, and Prometheus says so elsewhere', async () => {
    reply = () => ({
      status: 400,
      body: JSON.stringify({ status: 'error', errorType: 'bad_data', error: 'unexpected end of input' }),
    })
    const inProject = await get(`/namespaces/${A1}/targets/query?expr=rate(x[5m]`)
    const elsewhere = await get('/targets/query?expr=rate(x[5m]')

    expect([inProject.status, inProject.text.includes('parse error')]).toEqual([400, true])
    expect(elsewhere.status).toBe(200)
    expect((elsewhere.json as Shown).error).toContain('bad_data')
  })

  it('18. label sets want a metric and a time', async () => {
    const answer = await get('/targets/labelsets?metric=up&start=1700000000')

    expect([answer.status, answer.text.trim()]).toEqual([
      400,
      expect.stringContaining('required fields are missing: [metric, start, end]'),
    ])
  })

  it('19. of pods by namespace and name no others come back', async () => {
    const pod = (namespace: string, name: string): Labelled => [{ namespace, pod: name }, '1']
    reply = () => vector(pod('a', 'p1'), pod('a', 'p2'), pod('b', 'p2'))
    const filter = encodeURIComponent('a/p1|b/p2$')
    const [shown] = results(
      await get(`/nodes/n/pods?metrics_filter=pod_cpu_usage$&namespaced_resources_filter=${filter}`),
    )

    expect(shown?.data.result?.map(({ metric }) => `${metric?.['namespace']}/${metric?.['pod']}`)).toEqual([
      'a/p1',
      'b/p2',
    ])
  })

  it('20. and 51. without edge nodes, and without a metrics API, there is what Prometheus has', async () => {
    reply = () => vector([{ node: 'a' }, '1'])
    const [shown] = results(await get('/nodes?type=rank&metrics_filter=node_cpu_usage$'))

    expect(shown?.data.result?.map(({ metric }) => metric)).toEqual([{ node: 'a' }])
  })

  it('21. and 22. a dashboard of Grafana is imported once', async () => {
    const target = (expr: string) => [{ expr, legendFormat: 'x' }]
    const grafanaDashboardContent = JSON.stringify({
      title: 'Imported',
      panels: [
        { type: 'graph', title: 'a', targets: target('up') },
        { type: 'stat', title: 'b', targets: target('up') },
        { type: 'timeseries', title: 'c', targets: target('up') },
      ],
    })
    const path = `${MONITORING}/clusterdashboards/imported/template`
    const imported = await root.post(path, { grafanaDashboardContent })
    const again = await root.post(path, { grafanaDashboardContent })

    expect(imported.status).toBeLessThan(300)
    const { panels } = (
      imported.json as { spec: { panels: { type: string; targets?: { refId: number }[] }[] } }
    ).spec
    expect(panels.map(({ type }) => type)).toEqual(['graph', 'singlestat'])
    expect(panels[0]?.targets?.[0]?.refId).toBe(1)
    expect([again.status, again.text.includes('exists')]).toEqual([400, true])
  })

  it('23. a workspace has four counts, whatever the filter', async () => {
    const answer = await get(`/workspaces/${A}?type=statistics&metrics_filter=nothing`)

    expect(names(answer).sort()).toEqual([
      'workspace_devops_project_count',
      'workspace_member_count',
      'workspace_namespace_count',
      'workspace_role_count',
    ])
  })

  it('24. a component that is not known has no metrics', async () => {
    expect((await get('/components/foo')).json).toEqual({ results: null })
  })

  describe('consumption', () => {
    const end = 1_700_000_000 - (1_700_000_000 % HOUR)
    const asked = (more: string, start = end - 24 * HOUR): string =>
      `${METERING}/cluster?metrics_filter=meter_cluster_cpu_usage$&start=${start}&end=${end}&${more}`

    it('25. of a day in steps of six hours is four points of six, with a price', async () => {
      reply = (question) => matrix(question, [{}, '1'])
      const [shown] = results(good(await root.get(asked('step=6h'))))

      expect(shown?.data.result).toHaveLength(1)
      expect(shown?.data.result?.[0]).toMatchObject({
        min_value: '1.0000000000',
        max_value: '1.0000000000',
        avg_value: '1.0000000000',
        sum_value: '24.0000000000',
        fee: '12.000',
        resource_unit: 'cores',
        currency_unit: 'CNY',
      })
      expect(shown?.data.result?.[0]?.values?.map(([, value]) => Number(value))).toEqual([6, 6, 6, 6])
    })

    it.each([
      ['26.', 'step=1h', 40, 'step should be larger than 24 hours'],
      ['27.', 'step=90m', 1, 'step should be integer hours'],
    ])('%s is refused for %s over %i days', async (_, step, days, message) => {
      const answer = await root.get(asked(step, end - days * 24 * HOUR))

      expect([answer.status, answer.text.trim()]).toEqual([400, message])
    })

    it('28. of nothing is exported as "no data"', async () => {
      reply = () => ok('matrix', [])
      const answer = await root.get(asked('step=6h&operation=export', end - 12 * HOUR))

      expect(answer.text).toBe('no data')
      expect(answer.headers?.get('content-disposition')).toContain('attachment')
    })

    it('29. of all projects is that of the projects of who asks', async () => {
      const vic = await cast.as('vic')
      await vic.get(`${TENANT_METERING}?level=LevelNamespace&metrics_filter=meter_namespace_cpu_usage$`)

      expect(questions().length).toBeGreaterThan(0)
      for (const question of questions()) {
        expect(question).toContain(A1)
        expect(question).not.toContain(B1)
        expect(question).not.toContain('".*"')
      }
    })
  })

  it('48. two who ask at once find every metric by its name', async () => {
    reply = ({ fields }) => vector([{ asked: fields.get('query') ?? '' }, '1'])
    const answers = await Promise.all(
      ['/cluster', `/namespaces/${A1}`].map(async (path) => results(await get(path))),
    )

    for (const shown of answers) {
      const found = shown.map(({ metric_name }) => metric_name)
      expect(new Set(found).size).toBe(found.length)
      expect(shown.every(({ data }) => data.result?.length === 1)).toBe(true)
    }
  })

  it('49. a quote in a path is part of a name', async () => {
    const evil = encodeURIComponent('x"} or up{y="')
    const answer = await get(`/nodes/${evil}?metrics_filter=node_cpu_usage$`)

    expect(answer.status).toBe(200)
    expect(questions()).toHaveLength(1)
    expect(questions()[0]).toContain(String.raw`node="x\"} or up{y=\""`)
  })

  it.each(['http://127.0.0.1:1/d.json', 'http://169.254.169.254/latest/meta-data', 'http://[::1]/d.json'])(
    '50. dashboards are not fetched from inside: %s',
    async (grafanaDashboardUrl) => {
      const answer = await root.post(`${MONITORING}/clusterdashboards/inside/template`, {
        grafanaDashboardUrl,
      })

      expect(answer.status).toBe(400)
    },
  )

  describe('rules of alerts', () => {
    const rules = `${ALERTING}/namespaces/${A1}/rules`
    const rule = (name: string, more: object = {}): object => ({
      name,
      query: 'up == 0',
      duration: '1m',
      labels: { severity: 'critical' },
      annotations: { summary: name },
      ...more,
    })
    interface Listed {
      items: { name: string; id: string; query: string; state: string; health: string }[] | null
      total: number
    }
    const list = async (search = ''): Promise<Listed> => good(await root.get(rules + search)).json as Listed
    const listed = async (search = ''): Promise<string[]> =>
      ((await list(search)).items ?? []).map(({ name }) => name)

    beforeAll(async () => {
      reply = () => NOTHING
      const root = cast.root
      await root.post(`/api/v1/namespaces`, { metadata: { name: SYSTEM } })
      good(
        await root.post(`/apis/monitoring.coreos.com/v1/namespaces/${SYSTEM}/thanosrulers`, {
          apiVersion: 'monitoring.coreos.com/v1',
          kind: 'ThanosRuler',
          metadata: { name: 'kubesphere' },
          spec: { ruleNamespaceSelector: {}, ruleSelector: {}, queryEndpoints: ['x'] },
        }),
      )
    })

    beforeEach(() => {
      reply = () => ({ status: 200, body: JSON.stringify({ status: 'success', data: { groups: [] } }) })
    })

    it('31. are made once, and unknown to the ruler until it has read them', async () => {
      expect((await root.post(rules, rule('once'))).status).toBe(200)
      await eventually(async () => expect(await listed()).toEqual(['once']))
      expect((await root.post(rules, rule('once'))).status).toBe(409)
      expect((await list()).items?.[0]).toMatchObject({ state: 'inactive', health: 'unknown' })
    })

    it('32. of a project are stored with its namespace', async () => {
      const stored = good(
        await root.get(`/apis/monitoring.coreos.com/v1/namespaces/${A1}/prometheusrules`),
      ).json
      const [one] = stored.items[0].spec.groups[0].rules as { expr: string; labels: Record<string, string> }[]

      expect(one?.expr).toBe(`up{namespace="${A1}"} == 0`)
      expect(one?.labels['rule_id']).toMatch(new RegExp(`^${A1}-`))
    })

    it('33. are found by a part of a label, in any case', async () => {
      expect(await listed('?label_filters=severity~CRIT')).toEqual(['once'])
      expect(await listed('?label_filters=severity=CRIT')).toEqual([])
    })

    it('35. of which one is bad are taken otherwise', async () => {
      const answer = await root.post(`${ALERTING}/namespaces/${A1}/bulkrules`, [
        rule('good'),
        rule('bad', { query: 'up ==' }),
      ])

      expect(answer.status).toBe(200)
      expect(answer.json).toMatchObject({ errors: true })
      const { items } = answer.json as { items: { ruleName: string; status: string; errorType?: string }[] }
      expect(items.map(({ ruleName, status, errorType }) => [ruleName, status, errorType])).toEqual([
        ['good', 'success', undefined],
        ['bad', 'error', 'bad_data'],
      ])
    })

    it('36. that were changed come first', async () => {
      // The time of a change has whole seconds.
      await expect
        .poll(async () => {
          expect((await root.put(`${rules}/once`, rule('other-name', { query: 'up == 1' }))).status).toBe(200)
          return (await listed())[0]
        })
        .toBe('once')
    })

    it('34. come in pages', async () => {
      const more = Array.from({ length: 23 }, (_, i) => rule(`more-${i}`))
      good(await root.post(`${ALERTING}/namespaces/${A1}/bulkrules`, more))
      await eventually(async () => expect((await list()).total).toBe(25))

      expect((await list('?limit=10&page=3')).items).toHaveLength(5)
      expect(await list('?limit=10&page=4')).toMatchObject({ items: null, total: 25 })
    })
  })
})

describe('without endpoints of alerting', () => {
  beforeAll(() => setUp({}), 120_000)
  afterAll(() => product?.close())

  it.each([
    ['GET', '/rules'],
    ['POST', '/rules'],
    ['GET', `/namespaces/${A1}/alerts`],
    ['DELETE', `/namespaces/${A1}/rules/x`],
    ['GET', '/builtin/rules'],
  ])('30. %s %s says that it is not enabled', async (method, path) => {
    const answer = await root.request(method, ALERTING + path, method === 'POST' ? {} : undefined)

    expect([answer.status, answer.text.trim()]).toEqual([400, 'The alerting v2 API is not enabled'])
  })
})
