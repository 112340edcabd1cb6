/**
 * Rules made through our API, evaluated by a real Prometheus, and read back firing through our API.
 *
 * What an operator does is done here by hand: the PrometheusRules become files named after them.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type PrometheusRuleObject } from '../../src/alerting/types.js'
import { A1, B1, type Cast, createCast } from '../fixtures/cast.js'
import { type Client, type Product, startProduct } from '../fixtures/product.js'
import { type StandIn, startStandIn } from '../fixtures/prometheus.js'
import {
  type Daemon,
  HAVE_ALERTMANAGER,
  HAVE_PROMETHEUS,
  startAlertmanager,
  startPrometheusOn,
  WITHOUT_PROMETHEUS,
} from '../fixtures/realprometheus.js'

const HAVE_BOTH = HAVE_PROMETHEUS && HAVE_ALERTMANAGER
const COREOS = '/apis/monitoring.coreos.com/v1'
const ALPHA = `/kapis/alerting.kubesphere.io/v2alpha1/namespaces/${A1}`
const BETA = `/kapis/alerting.kubesphere.io/v2beta1/namespaces/${A1}`
const LABELS = { role: 'alert-rules' }

/** Series of two projects; two pods of ours are over the threshold. */
const SERIES = (
  [
    [A1, 'p1', 3],
    [A1, 'p2', 5],
    [A1, 'p3', 1],
    [B1, 'other', 9],
  ] as const
).map(([namespace, pod, value]) => ({ record: 'demo', expr: `vector(${value})`, labels: { namespace, pod } }))

let scratch: string
let product: Product
let cast: Cast
let padmin: Client
let prometheus: Daemon | undefined
let alertmanager: Daemon | undefined
/** In front of Prometheus, which starts when the rules are there. */
let front: StandIn

describe.skipIf(!HAVE_BOTH)(HAVE_BOTH ? 'rules' : `rules, ${WITHOUT_PROMETHEUS}`, () => {
  beforeAll(async () => {
    front = await startStandIn(async ({ path, fields }) => {
      if (!prometheus) return { status: 503, body: 'not started' }
      const answer = await fetch(`${prometheus.url}${path}?${fields.toString()}`)
      return { status: answer.status, body: await answer.text() }
    })
    scratch = mkdtempSync(join(tmpdir(), 'orrery-realrules-'))
    const config = join(scratch, 'kubesphere.yaml')
    const alerting = {
      prometheusEndpoint: front.url,
      thanosRulerEndpoint: front.url,
      thanosRuleResourceLabels: 'role=alert-rules',
    }
    writeFileSync(config, JSON.stringify({ alerting }))
    product = await startProduct({ config })
    cast = await createCast(product)
    padmin = await cast.as('padmin')
    const ruler = {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'ThanosRuler',
      metadata: { name: 'kubesphere' },
      spec: { ruleNamespaceSelector: {}, ruleSelector: { matchLabels: LABELS }, queryEndpoints: ['x'] },
    }
    const path = `${COREOS}/namespaces/kubesphere-monitoring-system/thanosrulers`
    expect((await cast.root.post(path, ruler)).status).toBe(201)

    const query = `demo{namespace="${B1}"} > 2`
    const labels = { severity: 'critical' }
    const annotations = { summary: '{{ $labels.pod }} is at {{ $value }}' }
    const rule = { name: 'hot', query, duration: '0s', labels, annotations }
    expect((await padmin.post(`${ALPHA}/rules`, rule)).status).toBe(200)
    const made = await padmin.post(`/apis/alerting.kubesphere.io/v2beta1/namespaces/${A1}/rulegroups`, {
      apiVersion: 'alerting.kubesphere.io/v2beta1',
      kind: 'RuleGroup',
      metadata: { name: 'web', labels: { 'alerting.kubesphere.io/enable': 'true' } },
      spec: {
        rules: [
          { alert: 'Hot', expr: 'demo > 2', severity: 'warning', annotations },
          { alert: 'Calm', expr: 'demo > 100' },
          { alert: 'Off', expr: 'demo > 2', disable: true },
          { alert: 'Soon', expr: 'demo > 2', for: '1h' },
        ],
      },
    })
    expect(made.status, made.text).toBe(201)

    const listed = async () =>
      (await cast.root.get(`${COREOS}/prometheusrules`)).json.items as PrometheusRuleObject[]
    await vi.waitFor(async () => expect(await listed()).toHaveLength(2), { timeout: 60_000 })
    const files = Object.fromEntries(
      (await listed()).map(({ metadata, spec }) => [
        `${metadata.namespace}-${metadata.name}-${metadata.uid}`,
        spec?.groups ?? [],
      ]),
    )
    alertmanager = await startAlertmanager({ route: { receiver: 'none' }, receivers: [{ name: 'none' }] })
    prometheus = await startPrometheusOn(
      { ...files, series: [{ name: 'series', rules: SERIES }] },
      alertmanager.url,
    )
  }, 180_000)

  afterAll(async () => {
    await product?.close()
    await prometheus?.close()
    await alertmanager?.close()
    await front?.close()
    rmSync(scratch, { recursive: true, force: true })
  })

  it('of a project fire for its own series alone, with labels and values', async () => {
    await expect.poll(async () => (await padmin.get(`${ALPHA}/alerts`)).json.total).toBe(2)

    const { json } = await padmin.get(`${ALPHA}/rules/hot`)
    expect(json).toMatchObject({ name: 'hot', state: 'firing', health: 'ok' })
    const { items } = (await padmin.get(`${ALPHA}/alerts?label_filters=pod=p2,severity~CRIT`)).json
    expect(items).toMatchObject([
      {
        ruleName: 'hot',
        state: 'firing',
        value: '5e+00',
        labels: { namespace: A1, pod: 'p2', severity: 'critical' },
        annotations: { summary: 'p2 is at 5' },
      },
    ])
    expect((await padmin.get(`${ALPHA}/alerts?limit=1&page=2`)).json).toMatchObject({
      total: 2,
      items: [{}],
    })
    expect((await padmin.get(`${ALPHA}/alerts?limit=1&page=3`)).json).toEqual({ items: null, total: 2 })
    expect((await padmin.get(`${ALPHA}/rules?state=inactive`)).json.total).toBe(0)
  }, 60_000)

  it('of a group are told with it, each in its place', async () => {
    const status = async () => (await padmin.get(`${BETA}/rulegroups/web`)).json.status
    await expect
      .poll(async () => (await status()).rulesStats)
      .toEqual({ inactive: 1, pending: 1, firing: 1, disabled: 1 })
    expect((await status()).rulesStatus).toMatchObject([
      { state: 'firing', health: 'ok' },
      { state: 'inactive', health: 'ok' },
      { state: 'disabled', health: 'unknown' },
      { state: 'pending', health: 'ok' },
    ])
    expect((await padmin.get(`${BETA}/rulegroups?state=firing`)).json.totalItems).toBe(1)
  }, 60_000)

  it('of a group give alerts that can be filtered, matched and paged', async () => {
    const alerts = async (query: string) => (await padmin.get(`${BETA}/alerts?${query}`)).json
    await expect.poll(async () => (await alerts('state=firing')).totalItems).toBe(2)
    await expect.poll(async () => (await alerts('state=pending')).totalItems).toBe(2)

    const matcher = encodeURIComponent('{alertname="Hot",pod=~"p[2-9]"}')
    expect(await alerts(`label_matcher=${matcher}`)).toMatchObject({
      totalItems: 1,
      items: [
        {
          state: 'firing',
          value: '5e+00',
          labels: {
            namespace: A1,
            pod: 'p2',
            rule_group: 'web',
            rule_level: 'namespace',
            severity: 'warning',
          },
          annotations: { summary: 'p2 is at 5' },
        },
      ],
    })
    expect(await alerts('limit=3&page=2')).toMatchObject({ totalItems: 4, items: [{}] })
    expect((await alerts(`label_filters=namespace=${B1}`)).totalItems).toBe(0)
  }, 60_000)

  it('reach Alertmanager', async () => {
    const pods = async () => {
      const answer = await fetch(`${alertmanager?.url}/api/v2/alerts`)
      const alerts = (await answer.json()) as { labels: Record<string, string> }[]
      return alerts.map(({ labels }) => `${labels['alertname']} ${labels['pod']}`).sort()
    }
    await expect.poll(pods, { timeout: 30_000 }).toEqual(['Hot p1', 'Hot p2', 'hot p1', 'hot p2'])
  }, 60_000)
})
