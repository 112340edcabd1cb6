/** Groups of alerting rules, written at the Kubernetes API: completed, checked, and brought to the ruler. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type KubeObject } from '../../src/apimachinery/meta/types.js'
import { type StoredGroup } from '../../src/alerting/types.js'
import { A1, B1, type Cast, createCast } from '../fixtures/cast.js'
import { type Client, type Product, startProduct } from '../fixtures/product.js'

const GROUPS = '/apis/alerting.kubesphere.io/v2beta1'
const OWN = `${GROUPS}/namespaces/${A1}/rulegroups`
const OBJECTS = '/apis/monitoring.coreos.com/v1/namespaces/kubesphere-monitoring-system/prometheusrules'

let scratch: string
let product: Product
let cast: Cast
let padmin: Client

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'orrery-rulegroups-'))
  const config = join(scratch, 'kubesphere.yaml')
  const alerting = { thanosRuleResourceLabels: 'thanos-ruler=kubesphere,role=alert-rules' }
  writeFileSync(config, JSON.stringify({ alerting }))
  product = await startProduct({ config })
  cast = await createCast(product)
  padmin = await cast.as('padmin')
}, 120_000)

afterAll(async () => {
  await product?.close()
  rmSync(scratch, { recursive: true, force: true })
})

const group = (name: string, rules: object[], more: object = {}): object => ({
  apiVersion: 'alerting.kubesphere.io/v2beta1',
  kind: 'RuleGroup',
  metadata: { name, labels: { 'alerting.kubesphere.io/enable': 'true' } },
  spec: { rules, ...more },
})
const clusterWide = (kind: string, name: string, rules: object[]): object => ({
  ...group(name, rules),
  kind,
})

type RuleObject = KubeObject & { spec: { groups: StoredGroup[] } }

async function objects(prefix: string): Promise<RuleObject[]> {
  const { json } = await cast.root.get(OBJECTS)
  return (json.items as RuleObject[]).filter(({ metadata: { name = '' } }) => name.startsWith(prefix))
}

async function inRuler(prefix: string, name: string): Promise<StoredGroup | undefined> {
  return (await objects(prefix)).flatMap(({ spec }) => spec.groups).find((one) => one.name === name)
}

describe('a group of rules of a project', () => {
  it('comes to the ruler confined to the project, labelled, and without what is disabled', async () => {
    const made = await padmin.post(
      OWN,
      group(
        'web',
        [
          { alert: 'Down', expr: `up{namespace="${B1}"} == 0`, for: '1m', severity: 'critical' },
          { alert: 'Off', expr: 'up == 1', disable: true },
        ],
        { interval: '30s' },
      ),
    )
    expect(made.status, made.text).toBe(201)
    const id = made.json.spec.rules[0].labels.rule_id as string
    expect(id).toMatch(/^[0-9a-f-]{36}$/)

    await expect
      .poll(() => inRuler(`alertrules-ns-${A1}-`, 'web'))
      .toMatchObject({
        name: 'web',
        interval: '30s',
        rules: [
          {
            alert: 'Down',
            expr: `up{namespace="${A1}"} == 0`,
            for: '1m',
            labels: {
              alerttype: 'metric',
              namespace: A1,
              rule_group: 'web',
              rule_id: id,
              rule_level: 'namespace',
              rule_type: 'custom',
              severity: 'critical',
            },
          },
        ],
      })
    const [object] = await objects(`alertrules-ns-${A1}-0`)
    expect(object?.metadata.labels).toMatchObject({
      'thanos-ruler': 'kubesphere',
      role: 'alert-rules',
      'alerting.kubesphere.io/rule_level': 'namespace',
      'alerting.kubesphere.io/owner_namespace': A1,
    })
  }, 30_000)

  it('is taken from the ruler when it is disabled or deleted, and put back when somebody removes it there', async () => {
    await padmin.post(OWN, group('brief', [{ alert: 'Down', expr: 'up == 0' }]))
    await padmin.post(OWN, group('kept', [{ alert: 'Down', expr: 'up == 0' }]))
    const find = (name: string) => inRuler(`alertrules-ns-${A1}-`, name)
    await expect.poll(() => find('brief')).toBeDefined()

    const off = { metadata: { labels: { 'alerting.kubesphere.io/enable': 'false' } } }
    expect((await padmin.patch(`${OWN}/brief`, off)).status).toBe(200)
    await expect.poll(() => find('brief')).toBeUndefined()

    await cast.root.delete(`${OBJECTS}/alertrules-ns-${A1}-0`)
    await expect.poll(() => find('kept')).toBeDefined()

    await padmin.delete(`${OWN}/kept`)
    await expect.poll(() => find('kept')).toBeUndefined()
  }, 60_000)

  it('says what its label claims only of the project, whatever it writes', async () => {
    const labels = { rule_level: 'cluster', rule_group: 'other', alerttype: 'event', namespace: B1 }
    const refused = await padmin.post(OWN, group('spoof', [{ alert: 'A', expr: 'up', labels }]))
    expect(refused.status).toBe(403)

    const { namespace: _, rule_level: __, ...rest } = labels
    await padmin.post(OWN, group('spoof', [{ alert: 'A', expr: 'up', labels: rest }]))
    await expect
      .poll(() => inRuler(`alertrules-ns-${A1}-`, 'spoof'))
      .toMatchObject({
        rules: [{ labels: { rule_group: 'spoof', alerttype: 'metric', namespace: A1 } }],
      })
  }, 30_000)

  it.each([
    ['asks the ruler for more in a template', { annotations: { text: '{{ query "up" | first }}' } }],
    ['joins series that it does not select', { expr: 'info(up)' }],
  ])('is refused when it %s', async (_, more) => {
    const answer = await padmin.post(OWN, group('reach', [{ alert: 'A', expr: 'up', ...more }]))

    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.status).toBeLessThan(500)
  })

  it.each([
    [
      'no expression',
      [{ alert: 'A' }],
      `one of 'expr' and 'exprBuilder.workload' must be set for a RuleGroup`,
    ],
    ['no name', [{ alert: '', expr: 'up' }], `'alert' must not be empty`],
    ['a bad expression', [{ alert: 'A', expr: 'sum(up' }], 'parse error'],
    ['an unknown severity', [{ alert: 'A', expr: 'up', severity: 'bad' }], `invalid 'severity'`],
    ['too many rules', Array.from({ length: 41 }, () => ({ alert: 'A', expr: 'up' })), 'more than 40'],
  ])('is refused with %s', async (_, rules, message) => {
    const answer = await padmin.post(OWN, group('bad', rules))

    expect(answer.status).toBe(400)
    expect(answer.json.message).toContain(message)
    expect(answer.json.message).toContain('rulegroups.alerting.kubesphere.io')
  })

  it.each([
    { rules: 'x' },
    { rules: [1] },
    { rules: [{ alert: 'A', exprBuilder: { workload: { names: 3 } } }] },
  ])('of an impossible shape is invalid: %j', async (spec) => {
    const answer = await padmin.post(OWN, { ...group('odd', []), spec })

    expect(answer.status, answer.text).toBe(422)
  })

  it('can be built from a threshold', async () => {
    const workload = {
      kind: 'deployment',
      names: ['web', 'db'],
      comparator: '>=',
      metricThreshold: { cpu: { usage: 0.5 } },
    }
    const made = await padmin.post(OWN, group('built', [{ alert: 'Busy', exprBuilder: { workload } }]))

    expect(made.status, made.text).toBe(201)
    const expr = 'namespace:workload_cpu_usage:sum{workload=~"Deployment:(web|db)"} >= 0.5'
    expect(made.json.spec.rules[0].expr).toBe(expr)
    await expect
      .poll(() => inRuler(`alertrules-ns-${A1}-`, 'built'))
      .toMatchObject({
        rules: [
          {
            expr: expr.replace('}', `,namespace="${A1}"}`),
            labels: { rule_type: 'template' },
          },
        ],
      })
  }, 30_000)
})

describe('a group of rules of the cluster', () => {
  it('is read from nodes, and is not for projects to write', async () => {
    const node = { names: ['n1'], comparator: '<', metricThreshold: { disk: { spaceAvailable: 1e9 } } }
    const body = clusterWide('ClusterRuleGroup', 'disks', [{ alert: 'Full', exprBuilder: { node } }])
    expect((await padmin.post(`${GROUPS}/clusterrulegroups`, body)).status).toBe(403)
    expect((await cast.root.post(`${GROUPS}/clusterrulegroups`, body)).status).toBe(201)

    await expect
      .poll(() => inRuler('alertrules-cl-', 'disks'))
      .toMatchObject({
        rules: [
          { expr: 'node:disk_space_available:{node="n1"} < 1000000000', labels: { rule_level: 'cluster' } },
        ],
      })
  }, 30_000)

  it('of all clusters is confined to the clusters and namespaces that it selects', async () => {
    const rule = {
      alert: 'Down',
      expr: 'up == 0',
      clusterSelector: { inValues: ['east', 'west'] },
      namespaceSelector: { matcher: { type: '!~', value: 'kube-.*' } },
    }
    const workload = {
      kind: 'daemonset',
      names: [{ cluster: 'east', namespace: 'a', names: ['agent'] }],
      comparator: '>',
      metricThreshold: { replica: { unavailableRatio: 0.1 } },
    }
    const rules = [rule, { alert: 'Away', exprBuilder: { workload } }]
    const made = await cast.root.post(
      `${GROUPS}/globalrulegroups`,
      clusterWide('GlobalRuleGroup', 'all', rules),
    )
    expect(made.status, made.text).toBe(201)

    await expect
      .poll(() => inRuler('alertrules-gl-', 'all'))
      .toMatchObject({
        rules: [
          { expr: 'up{cluster=~"east|west",namespace!~"kube-.*"} == 0' },
          {
            expr: 'namespace:daemonset_unavailable_replicas:ratio{workload="DaemonSet:agent",cluster="east",namespace="a"} > 0.1',
          },
        ],
      })
  }, 30_000)
})
