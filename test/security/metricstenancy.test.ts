/**
 * Whatever a member of one workspace asks, at any route and with any parameter, the series of another have no part in the answer.
 *
 * Two Prometheus run, one that knows the series of both workspaces and one that knows those of the first alone. Every question
 * that the product asks on behalf of a member is put to both: their answers must be the same.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { alertingGroup } from '../../src/apis/alerting/v2alpha1/index.js'
import { ruleGroupsGroup } from '../../src/apis/alerting/v2beta1/index.js'
import { meteringGroup } from '../../src/apis/metering/v1alpha1/index.js'
import { monitoringGroup } from '../../src/apis/monitoring/v1alpha3/index.js'
import { configDir } from '../../src/bootstrap/data.js'
import { readCatalogue } from '../../src/monitoring/definitions.js'
import { type ApiGroup } from '../../src/serving/route.js'
import { A, A1, A2, B, B1, type Cast, createCast, FREE, good, type Person } from '../fixtures/cast.js'
import { type Product, startProduct } from '../fixtures/product.js'
import { type Asked, type StandIn, startStandIn } from '../fixtures/prometheus.js'
import {
  type Daemon,
  HAVE_PROMETHEUS,
  startOnSeries,
  WITHOUT_PROMETHEUS,
} from '../fixtures/realprometheus.js'
import { tenantSeries } from '../fixtures/tenantseries.js'

const MINUTE = 60
/** Of no project of A, and in everything that is told of another. */
const FOREIGN = 'secret-of-beta'
const OWN_TENANTS = [
  { namespace: A1, workspace: A, value: 1 },
  { namespace: A2, workspace: A, value: 2 },
]
const OTHER_TENANTS = [
  { namespace: B1, workspace: B, value: 1e9 },
  { namespace: FREE, workspace: '', value: 2e9 },
]
/** Everybody may see how the cluster and its nodes are doing as a whole: of a node or the cluster, without a project in it. */
const TOTALS = /^\/(cluster|nodes(\/[^/]*)?)$/
/** What all controllers of ingresses tell together, none being named. */
const CONTROLLERS = /nginx_process_\w+%7B(state%3D%22active%22)?%7D/
const MEMBERS: readonly Person[] = ['padmin', 'pview', 'vic', 'ana', 'reg', 'nob', 'root']

interface Exchange {
  question: string
  /** What the Prometheus of all answered, and what that of A alone. */
  all: string
  own: string
}

let scratch: string
let everything: Daemon
let own: Daemon
let between: StandIn
let product: Product
let cast: Cast
/** The projects were made before, and there are samples before and after. */
let time: number
const exchanges: Exchange[] = []

describe.skipIf(!HAVE_PROMETHEUS)(
  HAVE_PROMETHEUS ? 'the series of another workspace' : WITHOUT_PROMETHEUS,
  () => {
    beforeAll(async () => {
      const now = Math.floor(Date.now() / 1_000 / MINUTE) * MINUTE
      time = now + 60 * MINUTE
      const range = { start: now - 30 * MINUTE, end: time + 10 * MINUTE }
      const { levels } = await readCatalogue(configDir('metrics'))
      ;[everything, own] = await Promise.all([
        startOnSeries(tenantSeries(levels, [...OWN_TENANTS, ...OTHER_TENANTS], range)),
        startOnSeries(tenantSeries(levels, OWN_TENANTS, range)),
      ])
      between = await startStandIn(async (asked) => {
        if (asked.path === '/api/v1/rules') return { status: 200, body: JSON.stringify(LOADED) }
        const [all, alone] = await Promise.all([everything, own].map(({ url }) => forwarded(url, asked)))
        exchanges.push({
          question: `${asked.path} ${asked.fields.toString()}`,
          all: inOrder(all?.body ?? ''),
          own: inOrder(alone?.body ?? ''),
        })
        return all ?? { status: 500, body: '' }
      })
      scratch = mkdtempSync(join(tmpdir(), 'orrery-tenancy-'))
      const config = join(scratch, 'kubesphere.yaml')
      const endpoint = between.url
      writeFileSync(
        config,
        JSON.stringify({
          monitoring: { endpoint },
          alerting: { prometheusEndpoint: endpoint, thanosRulerEndpoint: endpoint },
        }),
      )
      product = await startProduct({ config })
      cast = await createCast(product)
      good(
        await cast.root.post(`/api/v1/namespaces/${A1}/pods`, {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'web-5d9-x1', labels: { app: 'web' } },
          spec: { containers: [{ name: 'main', image: 'main:1' }] },
        }),
      )
      good(
        await cast.root.post(`/api/v1/namespaces/${A1}/services`, {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'web' },
          spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
        }),
      )
      good(
        await cast.root.post(
          '/apis/monitoring.coreos.com/v1/namespaces/kubesphere-monitoring-system/thanosrulers',
          {
            apiVersion: 'monitoring.coreos.com/v1',
            kind: 'ThanosRuler',
            metadata: { name: 'kubesphere' },
            spec: { ruleNamespaceSelector: {}, ruleSelector: {}, queryEndpoints: ['x'] },
          },
        ),
      )
    }, 180_000)

    afterAll(async () => {
      await product?.close()
      await Promise.all([between?.close(), everything?.close(), own?.close()])
      rmSync(scratch, { recursive: true, force: true })
    })

    beforeEach(() => {
      exchanges.length = 0
    })

    it('are no part of any answer, at any route, by any parameter', async () => {
      let answered = 0
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...MEMBERS), targets, parameters, async (person, target, query) => {
          exchanges.length = 0
          const path = `${target.root}${target.path}?${new URLSearchParams(query).toString()}`

          const { status, text } = await (await cast.as(person)).get(path)

          expect(status, `${person} ${path} ${text}`).toBeLessThan(500)
          if (person === 'root') return
          if (target.isForeign) expect(status, `${person} ${path}`).toBeGreaterThanOrEqual(400)
          if (TOTALS.test(target.path)) expect(text).not.toMatch(new RegExp(`"(namespace|pod|workspace)":`))
          else
            for (const { question, all, own } of exchanges.filter((one) => !CONTROLLERS.test(one.question)))
              expect(all, `${person} ${path}\n${question}`).toBe(own)
          if (!JSON.stringify(query).includes(FOREIGN)) expect(text).not.toContain(FOREIGN)
          if (exchanges.some(({ own }) => own.includes('"metric":{'))) answered++
        }),
        { numRuns: 400 },
      )
      // A proof of silence would prove nothing.
      expect(answered).toBeGreaterThan(8)
    }, 240_000)

    it('are not reached by an expression of a query, of labels, or of a rule', async () => {
      let answered = 0
      const padmin = await cast.as('padmin')
      const times = `start=${time - 20 * MINUTE}&end=${time}&step=5m`
      const rules = `/kapis/alerting.kubesphere.io/v2alpha1/namespaces/${A1}`
      await fc.assert(
        fc.asyncProperty(expressions, async (expression) => {
          exchanges.length = 0
          const written = encodeURIComponent(expression)
          const target = `/kapis/monitoring.kubesphere.io/v1alpha3/namespaces/${A1}/targets`

          await padmin.get(`${target}/query?expr=${written}&time=${time}`)
          await padmin.get(`${target}/query?expr=${written}&${times}`)
          await padmin.get(`${target}/labelsets?metric=${written}&${times}`)
          await padmin.post(`${rules}/bulkrules`, [{ name: 'reaching', query: expression, duration: '1m' }])
          for (const stored of await storedExpressions())
            exchanges.push(
              await compared({
                method: 'POST',
                path: '/api/v1/query',
                fields: new URLSearchParams({ query: stored, time: String(time) }),
              }),
            )

          for (const { question, all, own } of exchanges) expect(all, `${expression}\n${question}`).toBe(own)
          if (exchanges.some(({ own }) => own.includes('"metric":{'))) answered++
          await padmin.delete(`${rules}/rules?name=reaching`)
        }),
        { numRuns: 120 },
      )
      expect(answered).toBeGreaterThan(4)
    }, 240_000)
  },
)

async function storedExpressions(): Promise<string[]> {
  const { json } = await cast.root.get(`/apis/monitoring.coreos.com/v1/namespaces/${A1}/prometheusrules`)
  const items = json.items as { spec: { groups: { rules: { expr: string }[] }[] } }[]
  return items.flatMap(({ spec }) => spec.groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)))
}

async function compared(asked: Asked): Promise<Exchange> {
  const [all, alone] = await Promise.all([everything, own].map(({ url }) => forwarded(url, asked)))
  return { question: asked.fields.toString(), all: inOrder(all?.body ?? ''), own: inOrder(alone?.body ?? '') }
}

async function forwarded(
  url: string,
  { method, path, fields }: Asked,
): Promise<{ status: number; body: string }> {
  const answer =
    method === 'POST'
      ? await fetch(url + path, { method, body: fields })
      : await fetch(`${url}${path}?${fields.toString()}`)
  return { status: answer.status, body: await answer.text() }
}

/** Series come in any order. */
function inOrder(body: string): string {
  const answer = JSON.parse(body) as { data?: unknown; errorType?: string; error?: string }
  // A failure names any two series that stand in each other's way.
  if (answer.error !== undefined) return `${answer.errorType} ${/origin:(beta|free)/.exec(answer.error)?.[0]}`
  const sorted = (list: unknown[]): unknown[] => list.map((one) => JSON.stringify(one)).sort()
  const { data } = answer
  if (Array.isArray(data)) return JSON.stringify({ ...answer, data: sorted(data) }).replaceAll('\\"', '"')
  const { result } = (data ?? {}) as { result?: unknown[] }
  if (!result) return body
  return JSON.stringify({ ...answer, data: { ...(data as object), result: sorted(result) } }).replaceAll(
    '\\"',
    '"',
  )
}

/** What the ruler has loaded of the other workspace, for every way to find it. */
const LOADED = {
  status: 'success',
  data: {
    groups: [B1, 'kubesphere-monitoring-system'].flatMap((namespace) =>
      [`${namespace}-custom-alerting-rule-x`, `alertrules-ns-${namespace}-0`].map((file) => ({
        name: 'alerting.custom.defaults.0',
        file: `/etc/rules/${file}.yaml`,
        rules: [
          {
            type: 'alerting',
            name: FOREIGN,
            query: 'up == 0',
            duration: 60,
            labels: { rule_id: FOREIGN, namespace: B1, rule_level: 'namespace' },
            annotations: {},
            health: 'ok',
            state: 'firing',
            alerts: [
              {
                activeAt: '2026-01-01T00:00:00Z',
                labels: { namespace: B1, alertname: FOREIGN },
                annotations: {},
                state: 'firing',
                value: '1e+00',
              },
            ],
          },
        ],
      })),
    ),
  },
}

const EVIL = [
  `x"} or {namespace="${B1}`,
  `x\\"} or up{namespace="${B1}`,
  `x\n"} or {__name__=~".+",namespace="${B1}"} #`,
  `x'} or {namespace='${B1}`,
  '.*|.*',
  `.*)|(${B1}`,
  `(?i)BETA.*`,
  '^.*$',
  '[',
  '\\',
  '\\Q',
  `\\Q.*\\E|.*`,
  '$1',
  '$pod',
  '$owner,$pod',
  '',
  ' ',
  '\0',
  '}',
]
const NAMES = [
  A1,
  A2,
  B1,
  A,
  B,
  FREE,
  'web',
  'db',
  'web-5d9-x1',
  'db-0',
  'n1',
  'main',
  'standard',
  'data-web',
  'kubesphere-system',
  `kubesphere-router-${B1}-metrics`,
  `kubesphere-router-${B1}-5d9-x1`,
  `kubesphere-router-${A1}-5d9-x1`,
]
const texts = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NAMES) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('.*', '.+', 'web.*', `${A1}|${B1}`, `${B1}/web-5d9-x1|${A1}/db-0`, 'beta.*'),
  },
  { weight: 2, arbitrary: fc.constantFrom(...EVIL) },
  { weight: 1, arbitrary: fc.string({ maxLength: 10 }) },
)

const nothing = new Proxy({}, { get: () => undefined })
const GROUPS: readonly Pick<ApiGroup, 'root' | 'routes'>[] = [
  monitoringGroup(nothing as never),
  meteringGroup({ members: nothing } as never),
  alertingGroup({ enabled: true } as never),
  ruleGroupsGroup(undefined),
]
const TENANT = '/kapis/tenant.kubesphere.io/v1alpha2'
const PATHS = [
  ...GROUPS.flatMap(({ root, routes }) =>
    routes.filter(({ method }) => method === 'GET').map(({ path }) => ({ root, path })),
  ),
  ...Array.from({ length: 12 }, () => ({ root: TENANT, path: '/metering' })),
  { root: TENANT, path: '/namespaces/{namespace}/metering/hierarchy' },
]

/** By the parameter of a path; others take any text. */
const PLACES: Readonly<Record<string, fc.Arbitrary<string>>> = {
  namespace: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(A1, A1, A2) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(B1, FREE, `${A1}|${B1}`, '.*', `${A1}/../${B1}`, `${A1}%2f..%2f${B1}`),
    },
    { weight: 1, arbitrary: texts },
  ),
  workspace: fc.oneof({ weight: 4, arbitrary: fc.constant(A) }, { weight: 1, arbitrary: texts }),
  kind: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('deployment', 'statefulset', 'daemonset') },
    { weight: 1, arbitrary: texts },
  ),
}

interface Target {
  root: string
  path: string
  /** It names a place of another. */
  isForeign: boolean
}

const targets: fc.Arbitrary<Target> = fc.constantFrom(...PATHS).chain(({ root, path }) => {
  const names = [...path.matchAll(/\{(\w+)[^}]*\}/g)].map(([, name = '']) => name)
  return fc.tuple(...names.map((name) => PLACES[name] ?? texts)).map((values) => ({
    root,
    path: filled(path, values),
    isForeign: names.some(
      (name, at) =>
        (name === 'namespace' && [B1, FREE].includes(values[at] ?? '')) ||
        (name === 'workspace' && values[at] === B),
    ),
  }))
})

function filled(path: string, values: readonly string[]): string {
  let at = 0
  return path.replace(/\{\w+[^}]*\}/g, () => encodeURIComponent(values[at++] || '-'))
}

const LEVELS = [
  'Cluster',
  'Node',
  'Workspace',
  'Namespace',
  'Application',
  'Workload',
  'Service',
  'Pod',
] as const
const times = fc.constantFrom('instant', 'range', 'day').map((kind): Record<string, string> => {
  if (kind === 'instant') return { time: String(time) }
  if (kind === 'range') return { start: String(time - 20 * MINUTE), end: String(time), step: '5m' }
  return { start: String(time - 60 * MINUTE), end: String(time), step: '1h' }
})
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })
const parameters: fc.Arbitrary<Record<string, string>> = fc
  .tuple(
    times,
    fc.record({
      level: fc.constantFrom(...LEVELS).map((level) => `Level${level}`),
      resources_filter: maybe(texts),
      namespaced_resources_filter: maybe(texts),
      metrics_filter: maybe(fc.oneof(texts, fc.constantFrom('cpu', 'memory', 'net'))),
      sort_metric: maybe(
        fc.constantFrom('pod_cpu_usage', 'namespace_memory_usage', 'meter_pod_cpu_usage', 'x'),
      ),
      namespace: maybe(texts),
      workspace: maybe(texts),
      node: maybe(texts),
      kind: maybe(fc.oneof(fc.constantFrom('deployment', 'statefulset'), texts)),
      workload: maybe(texts),
      pod: maybe(texts),
      job: maybe(texts),
      duration: maybe(fc.constantFrom('5m', '1h', '1', `5m]) or up{namespace="${B1}"}`)),
      applications: maybe(texts),
      services: maybe(texts),
      openpitrix_ids: maybe(texts),
      storageclass: maybe(texts),
      pvc_filter: maybe(texts),
      cluster: maybe(texts),
      operation: maybe(fc.constantFrom('query', 'export')),
      expr: maybe(fc.constant(null).chain(() => expressions)),
      metric: maybe(fc.constant(null).chain(() => expressions)),
      name: maybe(texts),
      label_filters: maybe(fc.constantFrom(`namespace=${B1}`, 'namespace~beta', 'rule_level=namespace')),
      label_matcher: maybe(fc.constantFrom(`{namespace="${B1}"}`, '{namespace=~".*"}')),
      type: maybe(fc.constantFrom('rank', 'statistics')),
    }),
  )
  .map(
    ([when, rest]) =>
      Object.fromEntries(
        Object.entries({ ...when, ...rest }).filter(([, value]) => value !== undefined),
      ) as Record<string, string>,
  )

const strings = fc
  .oneof(fc.constantFrom(B1, FREE, '.*', '.+', '', 'beta.*', A1, '\\x62eta-one'), fc.constantFrom(...EVIL))
  .chain((text) =>
    fc.constantFrom(
      JSON.stringify(text),
      `'${text.replace(/['\\\n\0]/g, '')}'`,
      `\`${text.replace(/[`\0]/g, '')}\``,
    ),
  )
const matchers = fc
  .tuple(
    fc.constantFrom(
      'namespace',
      'exported_namespace',
      '__name__',
      'pod',
      'workspace',
      '"namespace"',
      'Namespace',
      '"\\x6eamespace"',
      ' namespace ',
    ),
    fc.constantFrom('=', '!=', '=~', '!~', ' =~ '),
    strings,
  )
  .map((parts) => parts.join(''))
const selectors = fc
  .tuple(
    fc.constantFrom(
      'kube_pod_info',
      'kube_pod_owner',
      'container_memory_usage_bytes',
      'namespace:kube_pod_info:count',
      '',
    ),
    fc.array(matchers, { maxLength: 2 }),
    fc.constantFrom('', '', '', ' offset 5m', ' @ end()', ' # ', ' #"}\n'),
  )
  .map(
    ([name, list, after]) =>
      `${name}{${[...(name === '' ? ['__name__=~"kube.+"'] : []), ...list].join(',')}}${after}`,
  )
const expressions = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    { weight: 3, arbitrary: selectors },
    fc.constantFrom(
      `kube_pod_info`,
      `up or kube_pod_info{namespace="${B1}"}`,
      `{"kube_pod_info", namespace="${B1}"}`,
      `info(kube_pod_info)`,
      `absent(kube_pod_info{namespace="${B1}"})`,
    ),
    tie('any').map((x) => `(${x}\n)`),
    tie('any').map((x) => `sum by (namespace) (${x}\n)`),
    tie('any').map((x) => `count without (pod) (${x}\n)`),
    tie('any').map((x) => `stddev by (pod) (${x}\n)`),
    tie('any').map((x) => `max_over_time((${x}\n)[5m:1m])`),
    selectors.map((x) => `rate(${x.replace(/\}.*$/s, '}')}[5m])`),
    tie('any').map((x) => `label_replace(${x}\n, "namespace", "${B1}", "pod", ".*")`),
    tie('any').map((x) => `label_join(${x}\n, "namespace", "-", "pod")`),
    tie('any').map((x) => `absent(${x}\n)`),
    tie('any').map((x) => `scalar(sum(${x}\n)) * 2`),
    fc
      .tuple(
        tie('any'),
        fc.constantFrom(
          'or',
          'and',
          'unless',
          '+',
          '== bool',
          '* on(pod) group_left(namespace)',
          'or ignoring(namespace)',
        ),
        tie('any'),
      )
      .map(([a, op, b]) => `${a}\n ${op} ${b}`),
  ),
})).any
