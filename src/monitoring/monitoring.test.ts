import { type SyntaxNode } from '@lezer/common'
import { parser } from '@prometheus-io/lezer-promql'
import { describe, expect, it } from 'vitest'
import * as fc from '../../test/fixtures/properties.js'
import { configDir } from '../bootstrap/data.js'
import { failure, type Prometheus, type QueryResult, type Range } from '../integrations/prometheus/types.js'
import { dataOf, plainNumber } from './answer.js'
import { Catalogue, readCatalogue } from './definitions.js'
import { fill } from './fill.js'
import { withinLife } from './lifetime.js'
import { Metering } from './metering/metering.js'
import { exported } from './metering/export.js'
import * as meters from './metering/selection.js'
import { PrometheusSource } from './metricsource.js'
import { NamedMetrics } from './namedmetrics.js'
import { sortingOf, timesOf } from './parameters.js'
import * as selections from './selection.js'
import { type Selection } from './selection.js'

const never = new AbortController().signal
const NOW = new Date('2026-01-01T00:00:00Z')
const asked = (text: string) => new URLSearchParams(text)

const catalogue = new Catalogue([
  {
    level: 'node',
    identifier: 'node',
    metrics: [
      { name: 'm1', help: '', unit: '', labels: [], expr: 'first{$node}' },
      { name: 'm2', help: '', unit: '', labels: [], expr: 'second{$node}' },
    ],
  },
  {
    level: 'meter_node',
    identifier: 'node',
    metrics: [{ name: 'meter_node_cpu_usage', help: '', unit: '', labels: [], expr: 'cpu{$node}' }],
  },
])

type Samples = Record<string, [node: string, value: string][]>

/** Answers `first{...}` with the samples of `first`. */
function answering(samples: Samples, ranges: Range[] = []): Prometheus {
  const of = (expression: string) => samples[/^\w+/.exec(expression)?.[0] ?? '']
  const answer = (
    expression: string,
    make: (node: string, value: string) => object,
  ): Promise<QueryResult> => {
    const found = of(expression)
    if (!found) return Promise.reject(failure('execution', 'broken'))
    const result = found.map(([node, value]) => ({ metric: { node }, ...make(node, value) }))
    return Promise.resolve({ resultType: 'vector', result })
  }
  return {
    query: (expression: string, time: number) => answer(expression, (_, value) => ({ value: [time, value] })),
    async queryRange(expression: string, range: Range) {
      ranges.push(range)
      const times: number[] = []
      for (let at = range.start; at <= range.end; at += range.step) times.push(at)
      const { result } = await answer(expression, (_, value) => ({ values: times.map((at) => [at, value]) }))
      return { resultType: 'matrix', result }
    },
  } as unknown as Prometheus
}

async function ranked(samples: Samples, sort: string) {
  const metrics = new NamedMetrics(() => Promise.resolve(catalogue), new PrometheusSource(answering(samples)))
  const question = { selections: [selections.nodeSelection({ filter: '.*' })], filter: '.*' }
  return metrics.ask(
    'node',
    { ...question, times: { kind: 'instant', time: 1 }, sorting: sortingOf(asked(sort)) },
    never,
  )
}

const order = ({ results }: Awaited<ReturnType<typeof ranked>>) =>
  results?.map(({ data }) =>
    data.result?.map(({ metric, value }) => (metric ? `${metric['node']}:${value?.[1]}` : '')),
  )

describe('ranking by a metric', () => {
  const samples: Samples = {
    first: [
      ['a', '1'],
      ['b', '3'],
      ['c', 'NaN'],
    ],
    second: [
      ['d', '7'],
      ['a', '2'],
    ],
  }

  it('puts the same resource at the same position in every metric', async () => {
    const answer = await ranked(samples, 'sort_metric=m1&limit=10')

    expect(order(answer)).toEqual([
      ['b:3', 'a:1', 'c:NaN', ''],
      ['', 'a:2', '', 'd:7'],
    ])
    expect(answer).toMatchObject({ page: 1, total_page: 1, total_item: 4 })
  })

  it('cuts pages, and has none beyond the end', async () => {
    expect(order(await ranked(samples, 'sort_metric=m1&limit=2&page=2'))).toEqual([
      ['c:NaN', ''],
      ['', 'd:7'],
    ])
    const beyond = await ranked(samples, 'sort_metric=m1&limit=2&page=9')
    expect(beyond).toMatchObject({ page: 9, total_page: 2 })
    expect(order(beyond)).toEqual([undefined, undefined])
  })

  it('breaks ties by name, whatever the direction, and orders by name for an unknown metric', async () => {
    const tied: Samples = {
      first: [
        ['c', '1'],
        ['b', '1'],
        ['a', '+Inf'],
        ['d', 'NaN'],
      ],
      second: [],
    }
    expect(order(await ranked(tied, 'sort_metric=m1'))?.[0]).toEqual(['a:+Inf', 'b:1', 'c:1', 'd:NaN'])
    expect(order(await ranked(tied, 'sort_metric=m1&sort_type=asc'))?.[0]).toEqual([
      'b:1',
      'c:1',
      'a:+Inf',
      'd:NaN',
    ])
    expect(order(await ranked(tied, 'sort_metric=other'))?.[0]).toEqual(['a:+Inf', 'b:1', 'c:1', 'd:NaN'])
  })

  it('leaves a metric that failed as it is', async () => {
    const { results } = await ranked({ first: samples['first'] ?? [] }, 'sort_metric=m1')

    expect(results?.[1]).toEqual({ metric_name: 'm2', data: {}, error: 'execution: broken' })
  })

  it('takes the later of two series of one resource', async () => {
    const twice: Samples = {
      first: [
        ['a', '1'],
        ['b', '2'],
        ['a', '5'],
      ],
      second: [],
    }

    expect(order(await ranked(twice, 'sort_metric=m1'))?.[0]).toEqual(['a:5', 'b:2'])
  })
})

describe('parameters', () => {
  it.each([
    ['start=1', "'time' and the combination of 'start' and 'end' are mutually exclusive."],
    ['start=2&end=1', "'start' must be before 'end'."],
    ['start=x&end=1', 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['time=99999999999999999999', 'strconv.ParseInt: parsing "99999999999999999999": value out of range'],
    ['start=1&end=2&step=1d', 'time: unknown unit "d" in duration "1d"'],
    ['start=1&end=2&step=60', 'time: missing unit in duration "60"'],
    ['start=1&end=2&step=-1m', 'time: the step'],
    ['start=1&end=2&step=0s', 'time: the step'],
    ['start=1&end=2&step=abc', 'time: invalid duration "abc"'],
  ])('%s is refused', (query, message) => {
    expect(() => timesOf(asked(query), NOW)).toThrow(message)
  })

  it('of paging are looked at beside a metric to sort by alone', () => {
    expect(sortingOf(asked('page=0&limit=x'))).toBeUndefined()
    expect(() => sortingOf(asked('sort_metric=a&page=0'))).toThrow("Invalid parameter 'page'.")
    expect(() => sortingOf(asked('sort_metric=a&limit=x'))).toThrow("Invalid parameter 'limit'.")
  })
})

describe('the life of a namespace', () => {
  const at = (time: string): number => Date.parse(`2026-01-01T${time}Z`) / 1_000
  const range = { kind: 'range', start: at('08:00:00'), end: at('11:00:00'), step: 600 } as const

  it.each([
    ['10:07:30', '10:10:00'],
    ['10:10:00', '10:20:00'],
    ['10:59:59', '11:00:00'],
    ['11:00:00', '11:00:00'],
  ])('created at %s, a range starts at %s', (created, start) => {
    expect(withinLife(range, new Date(at(created) * 1_000))).toEqual({ ...range, start: at(start) })
  })

  it('has nothing before it', () => {
    expect(withinLife(range, new Date((range.end + 1) * 1_000))).toBeUndefined()
    expect(withinLife({ kind: 'instant', time: 5 }, new Date(6_000))).toBeUndefined()
  })
})

it.each([
  ['1e+21', '1000000000000000000000'],
  ['1e-06', '0.000001'],
  ['-1.25e2', '-125'],
  ['1.5e-3', '0.0015'],
  ['+Inf', '+Inf'],
  ['0.528', '0.528'],
])('the number %s is written %s', (text, plain) => {
  expect(plainNumber(text)).toBe(plain)
})

it('a scalar is a vector of nothing', () => {
  expect(dataOf({ resultType: 'scalar', result: [] })).toEqual({ resultType: 'vector' })
})

describe('consumption', () => {
  const prices = {
    cpuPerCorePerHour: 0.5,
    memPerGigabytesPerHour: 0,
    ingressNetworkTrafficPerMegabytesPerHour: 0,
    egressNetworkTrafficPerMegabytesPerHour: 0,
    pvcPerGigabytesPerHour: 0,
    currencyUnit: 'CNY',
  }
  const HOUR = 3_600
  function ask(query: string, ranges: Range[] = []) {
    const metrics = new NamedMetrics(
      () => Promise.resolve(catalogue),
      new PrometheusSource(answering({ cpu: [['a', '1']] }, ranges)),
    )
    const question = { level: 'node', selections: [meters.nodeMeter({ filter: '.*' })], filter: '.*' }
    return new Metering(metrics, prices).ask({ ...question, times: timesOf(asked(query), NOW) }, never)
  }

  it('of a day in steps of six hours has four points of six', async () => {
    const ranges: Range[] = []
    const { results } = await ask(`start=0&end=${24 * HOUR}&step=6h`, ranges)

    const [series] = results?.[0]?.data.result ?? []
    expect(ranges).toEqual([expect.objectContaining({ start: HOUR, end: 24 * HOUR, step: HOUR })])
    expect(series?.values).toEqual([6, 12, 18, 24].map((hour) => [hour * HOUR, '6']))
    expect(series).toMatchObject({
      min_value: '1.0000000000',
      max_value: '1.0000000000',
      avg_value: '1.0000000000',
    })
    expect(series).toMatchObject({
      sum_value: '24.0000000000',
      fee: '12.000',
      resource_unit: 'cores',
      currency_unit: 'CNY',
    })
  })

  it('is grouped from the end, the oldest group being short', async () => {
    const { results } = await ask(`start=0&end=${5 * HOUR}&step=2h`)

    expect(results?.[0]?.data.result?.[0]?.values).toEqual([
      [HOUR, '1'],
      [3 * HOUR, '2'],
      [5 * HOUR, '2'],
    ])
  })

  it.each([
    [`start=0&end=${40 * 24 * HOUR}&step=1h`, 'step should be larger than 24 hours'],
    [`start=0&end=${24 * HOUR}&step=90m`, 'step should be integer hours'],
  ])('%s is refused', (query, message) => {
    expect(() => ask(query)).toThrow(message)
  })

  it('is exported with a summary and a row a point', async () => {
    const range = timesOf(asked(`start=0&end=${2 * HOUR}&step=1h`), NOW)
    const lines = exported(await ask(`start=0&end=${2 * HOUR}&step=1h`), range).split('\n')

    expect(lines.slice(0, 2)).toEqual([
      '',
      'metric_name,selector,start_time,end_time,min,max,avg,sum,fee, currency_unit',
    ])
    expect(lines[2]).toMatch(
      /^meter_node_cpu_usage,node=a,\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} \S+,\d{4}.*,2\.0000000000,1\.000,CNY$/,
    )
    expect(lines.slice(3, 5)).toEqual(['', 'metric_name,selector,time,value,unit'])
    expect(lines.slice(5, 7)).toEqual([
      expect.stringMatching(/^meter_node_cpu_usage,node=a,.* [AP]M,1,cores$/),
      expect.anything(),
    ])
    expect(exported({ results: null }, range)).toBe('no data')
  })
})

describe('the definitions that ship', async () => {
  const shipped = await readCatalogue(configDir('metrics'))
  const evil = fc.oneof(
    fc.string({ minLength: 1, maxLength: 12 }),
    fc.constantFrom('x"} or up{namespace="b', '\\', '"', 'a|b$', '$pod', '\n'),
  )

  it('are PromQL, whatever names and filters are put into them', () => {
    fc.assert(
      fc.property(evil, evil, evil, (name, filter, other) => {
        for (const selection of everySelection(name, filter, other)) {
          for (const { expr } of shipped.level(selection.level).metrics) {
            const written = fill(expr, selection.places)
            const plain = everySelection('n', 'f', 'o').find((one) => shapeOf(one) === shapeOf(selection))
            expect(skeleton(written)).toBe(skeleton(fill(expr, plain?.places ?? {})))
          }
        }
      }),
      { numRuns: 8 },
    )
  })

  it('are all reached by a selection', () => {
    const reached = new Set(everySelection('n', 'f', 'o').map(({ level }) => level))
    expect(
      shipped.levels
        .map(({ level }) => level)
        .filter((level) => !reached.has(level) && level !== 'component'),
    ).toEqual([])
  })
})

/** One of each level that has places; in a namespace where there is one. */
function everySelection(name: string, filter: string, other: string): Selection[] {
  const chosen = { name, filter }
  const all = { filter }
  return [
    selections.clusterSelection,
    selections.nodeSelection(all),
    selections.workspaceSelection(chosen),
    selections.namespaceSelection(chosen, other),
    selections.workloadSelection(name, other, filter),
    selections.podSelection({ namespace: other, workload: { kind: 'deployment', name } }, all),
    selections.containerSelection(other, name, all),
    selections.claimSelection({ namespace: other }, all),
    selections.ingressSelection('demo', all, { job: name, pod: other, window: '5m0s' }),
    meters.clusterMeter,
    meters.nodeMeter(chosen),
    meters.workspaceMeter(all),
    meters.namespaceMeter(chosen),
    meters.workloadMeter(name, other, filter),
    meters.podMeter({ namespace: other }, all),
    meters.applicationMeter(other, { name, members: [filter] }),
    meters.serviceMeter(other, { name, members: [filter] }),
  ]
}

/** Empty texts leave out matchers of their own choice: they have another shape. */
function shapeOf({ level, places }: Selection): string {
  return (
    level +
    Object.entries(places)
      .map(([name, place]) => `${name}${Array.isArray(place) ? place.length : ''}`)
      .join()
  )
}

/** The tree without the values of strings. */
function skeleton(expression: string): string {
  const parts: string[] = []
  const walk = (node: SyntaxNode): void => {
    expect(node.type.isError, expression).toBe(false)
    parts.push(
      node.firstChild || node.name === 'StringLiteral' ? node.name : expression.slice(node.from, node.to),
    )
    for (let child = node.firstChild; child; child = child.nextSibling) walk(child)
  }
  walk(parser.parse(expression).topNode)
  return parts.join(' ')
}
