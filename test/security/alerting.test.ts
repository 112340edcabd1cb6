/** Alerting rules of projects, over HTTP: how they are stored, joined with what the ruler says, and kept apart. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type RulerGroup } from '../../src/integrations/prometheus/rules.js'
import { A1, B1, type Cast, createCast } from '../fixtures/cast.js'
import { type Client, type Product, startProduct } from '../fixtures/product.js'
import { type StandIn, startStandIn } from '../fixtures/prometheus.js'

const BASE = '/kapis/alerting.kubesphere.io/v2alpha1'
const OWN = `${BASE}/namespaces/${A1}`
const COREOS = '/apis/monitoring.coreos.com/v1'
const LABELS = { thanosruler: 'thanos-ruler', role: 'thanos-alerting-rules' }

let scratch: string
let ruler: StandIn
let product: Product
let cast: Cast
let padmin: Client
/** What the ruler has loaded. */
let groups: RulerGroup[] = []
let isDown = false

beforeAll(async () => {
  ruler = await startStandIn(() =>
    isDown
      ? { status: 503, body: 'no' }
      : { status: 200, body: JSON.stringify({ status: 'success', data: { groups } }) },
  )
  scratch = mkdtempSync(join(tmpdir(), 'orrery-alerting-'))
  const config = join(scratch, 'kubesphere.yaml')
  const alerting = {
    prometheusEndpoint: ruler.url,
    thanosRulerEndpoint: ruler.url,
    thanosRuleResourceLabels: 'thanosruler=thanos-ruler,role=thanos-alerting-rules',
  }
  writeFileSync(config, JSON.stringify({ alerting }))
  product = await startProduct({ config })
  cast = await createCast(product)
  padmin = await cast.as('padmin')
  const made = await cast.root.post(`${COREOS}/namespaces/kubesphere-monitoring-system/thanosrulers`, {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ThanosRuler',
    metadata: { name: 'kubesphere' },
    spec: { ruleNamespaceSelector: {}, ruleSelector: { matchLabels: LABELS }, queryEndpoints: ['x'] },
  })
  expect(made.status).toBe(201)
}, 120_000)

afterAll(async () => {
  await product?.close()
  await ruler?.close()
  rmSync(scratch, { recursive: true, force: true })
})

beforeEach(async () => {
  groups = []
  isDown = false
  const { json } = await cast.root.get(`${OWN}/rules?limit=100`)
  const names = ((json.items ?? []) as { name: string }[]).map(({ name }) => `name=${name}`)
  if (names.length > 0) await cast.root.delete(`${OWN}/rules?${names.join('&')}`)
})

const rule = (name: string, more: object = {}): object => ({
  name,
  query: 'up == 0',
  duration: '5m',
  ...more,
})

interface StoredObject {
  name: string
  groups: { name: string; rules: any[] }[] // eslint-disable-line @typescript-eslint/no-explicit-any -- rules of any shape, read by tests
}

async function storedRules(): Promise<StoredObject[]> {
  const { json } = await cast.root.get(`${COREOS}/namespaces/${A1}/prometheusrules`)
  const items = json.items as { metadata: { name: string }; spec: { groups: StoredObject['groups'] } }[]
  return items.map(({ metadata, spec }) => ({ name: metadata.name, groups: spec.groups }))
}

describe('a rule of a project', () => {
  it('is stored with the namespace in its expression and its id, and is inactive until it is loaded', async () => {
    expect(await padmin.post(`${OWN}/rules`, rule('down'))).toMatchObject({ status: 200, text: '' })

    const [object] = await storedRules()
    expect(object?.name).toMatch(/^custom-alerting-rule-/)
    expect(object?.groups[0]).toMatchObject({
      name: 'alerting.custom.defaults.0',
      rules: [
        { alert: 'down', expr: `up{namespace="${A1}"} == 0`, for: '5m', labels: { alerttype: 'metric' } },
      ],
    })
    const { json } = await padmin.get(`${OWN}/rules/down`)
    expect(json).toMatchObject({ name: 'down', state: 'inactive', health: 'unknown' })
    expect(json.labels.rule_id).toBe(`${A1}-${json.id}`)
  })

  it('can be given a name once', async () => {
    await padmin.post(`${OWN}/rules`, rule('down'))

    expect(await padmin.post(`${OWN}/rules`, rule('down'))).toMatchObject({
      status: 409,
      text: 'The alerting rule already exists\n',
    })
  })

  it('is given a name once by many at the same time, too', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => padmin.post(`${OWN}/rules`, rule('down'))),
    )

    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(7).fill(409)])
    expect((await padmin.get(`${OWN}/rules`)).json.total).toBe(1)
  })

  it('has the state and the alerts that the ruler tells of it', async () => {
    await padmin.post(`${OWN}/rules`, rule('down', { labels: { severity: 'critical' } }))
    const [object] = await storedRules()
    const [stored] = object?.groups[0]?.rules ?? []
    const alert = {
      labels: { alertname: 'down', severity: 'critical', pod: 'p' },
      state: 'firing',
      activeAt: '2026-01-01T00:00:00Z',
      value: '1e+00',
    }
    groups = [
      {
        name: 'alerting.custom.defaults.0',
        file: `/etc/thanos/rules/x/${A1}-${object?.name}-00000000-0000-4000-8000-000000000000.yaml`,
        rules: [
          {
            type: 'alerting',
            name: 'down',
            query: stored.expr,
            duration: 300,
            labels: { ...stored.labels, thanos_ruler_replica: 'r0' },
            health: 'ok',
            alerts: [alert],
          },
        ],
      },
    ]

    const { json } = await padmin.get(`${OWN}/rules?label_filters=severity~CRIT&state=firing`)
    expect(json).toMatchObject({ total: 1, items: [{ name: 'down', state: 'firing', health: 'ok' }] })
    expect((await padmin.get(`${OWN}/alerts`)).json).toMatchObject({
      total: 1,
      items: [{ ...alert, ruleName: 'down', ruleId: json.items[0].id }],
    })
    expect((await padmin.get(`${OWN}/rules/down/alerts`)).json.total).toBe(1)
  })

  it('comes first in the list when it was changed last, and is in another group then', async () => {
    await padmin.post(`${OWN}/bulkrules`, [rule('a'), rule('b')])
    const second = Math.floor(Date.now() / 1_000)
    await vi.waitUntil(() => Date.now() / 1_000 >= second + 1, { timeout: 5_000 }) // Times of changes are whole seconds.

    expect((await padmin.put(`${OWN}/rules/b`, rule('whatever', { duration: '1m' }))).status).toBe(200)

    const { json } = await padmin.get(`${OWN}/rules`)
    expect(json.items.map(({ name }: { name: string }) => name)).toEqual(['b', 'a'])
    const [object] = await storedRules()
    expect(object?.groups.map(({ name, rules }) => [name, rules.length])).toEqual([
      ['alerting.custom.defaults.0', 1],
      ['alerting.custom.defaults.1', 1],
    ])
  })

  it('leaves nothing behind when it is the last to go', async () => {
    await padmin.post(`${OWN}/rules`, rule('down'))

    expect((await padmin.delete(`${OWN}/rules/down`)).status).toBe(200)

    expect(await storedRules()).toEqual([])
    expect(await padmin.delete(`${OWN}/rules/down`)).toMatchObject({
      status: 404,
      text: 'The alerting rule was not found\n',
    })
  })

  it('has a result of its own among many', async () => {
    await padmin.post(`${OWN}/rules`, rule('old'))

    const rules = [rule('new'), rule('bad', { query: '((' }), rule('old'), rule('twice'), rule('twice')]
    const { status, json } = await padmin.post(`${OWN}/bulkrules`, rules)

    expect(status).toBe(200)
    expect(json.errors).toBe(true)
    expect(json.items).toEqual([
      { ruleName: 'new', status: 'success', result: 'created' },
      {
        ruleName: 'bad',
        status: 'error',
        errorType: 'bad_data',
        error: 'query is invalid: ((: 1:3: parse error: unclosed left parenthesis',
      },
      { ruleName: 'old', status: 'success', result: 'updated' },
      expect.objectContaining({ ruleName: 'twice', status: 'error', errorType: 'duplicate_name' }),
    ])
    expect((await padmin.delete(`${OWN}/rules?name=new&name=nosuch`)).json).toEqual({
      errors: true,
      items: [
        { ruleName: 'new', status: 'success', result: 'deleted' },
        {
          ruleName: 'nosuch',
          status: 'error',
          errorType: 'not_found',
          error: 'The alerting rule was not found',
        },
      ],
    })
    expect((await padmin.post(`${OWN}/bulkrules`, [])).json).toEqual({ errors: false, items: null })
    expect((await padmin.delete(`${OWN}/rules`)).json).toEqual({ errors: false, items: null })
  })

  it('is answered 500 with the reason while the ruler cannot be asked', async () => {
    isDown = true

    expect(await padmin.get(`${OWN}/rules`)).toMatchObject({
      status: 500,
      text: 'server_error: server error: 503\n',
    })
  })
})

describe('a member of one workspace', () => {
  it('can neither read nor write the rules of another', async () => {
    const foreign = `${BASE}/namespaces/${B1}`

    for (const path of ['rules', 'alerts', 'rules/x', 'rules/x/alerts'])
      expect((await padmin.get(`${foreign}/${path}`)).status).toBe(403)
    expect((await padmin.post(`${foreign}/rules`, rule('x'))).status).toBe(403)
    expect((await padmin.post(`${BASE}/rules`, rule('x'))).status).toBe(403)
    expect((await padmin.get(`${BASE}/builtin/rules`)).status).toBe(403)
  })

  it.each([
    ['a matcher', { query: `up{namespace="${B1}"}` }, 200],
    ['a matcher of the other kind', { query: `up{namespace!~"${A1}"} or up{namespace=~".*"}` }, 200],
    ['a template', { annotations: { s: '{{ range query "up" }}{{ .Labels.pod }}{{ end }}' } }, 400],
    ['the label of its alerts', { labels: { namespace: B1 } }, 400],
    ['labels of information', { query: 'info(up)' }, 400],
  ])('cannot reach the series of another by %s', async (_, more, status) => {
    expect((await padmin.post(`${OWN}/rules`, rule('reach', more))).status).toBe(status)

    const exprs = (await storedRules()).flatMap((one) => one.groups.flatMap((group) => group.rules))
    for (const { expr } of exprs) {
      expect(expr).not.toContain(B1)
      expect(expr.match(/namespace/g)).toHaveLength(expr.match(/up\{/g)?.length)
    }
  })

  it('has alerts of its own project even where the expression writes the label', async () => {
    await padmin.post(
      `${OWN}/rules`,
      rule('forged', { query: `label_replace(up, "namespace", "${B1}", "", "")` }),
    )

    const [object] = await storedRules()
    expect(object?.groups[0]?.rules[0].labels.namespace).toBe(A1)
  })

  it.each([
    ['all metrics', { alert: 'a', expr: 'up == 0' }, 403],
    ['those of another project', { alert: 'a', expr: `up{namespace="${B1}"}` }, 403],
    ['series of its own making', { record: 'x', expr: `up{namespace="${A1}"}` }, 403],
    [
      'what a template asks for',
      { alert: 'a', expr: 'vector(1)', annotations: { s: '{{ query "up" }}' } },
      403,
    ],
    ['its own metrics', { alert: 'a', expr: `up{namespace="${A1}"} == 0` }, 201],
  ])('writes objects of rules at the Kubernetes API, about %s', async (_, one, status) => {
    const object = {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: { generateName: 'own-', labels: LABELS },
      spec: { groups: [{ name: 'g', rules: [one] }] },
    }

    expect((await padmin.post(`${COREOS}/namespaces/${A1}/prometheusrules`, object)).status).toBe(status)
  })
})
