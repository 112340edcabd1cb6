import { describe, expect, it } from 'vitest'
import { dashboardSpec } from './grafana.js'

const imported = (dashboard: object) => dashboardSpec(JSON.stringify(dashboard))
const target = (expr: string, legendFormat?: string) => {
  const [panel] = imported({ panels: [{ type: 'table', targets: [{ expr, legendFormat }] }] })['panels'] as {
    targets: object[]
  }[]
  return panel?.targets[0]
}

describe('a dashboard of Grafana', () => {
  it('keeps its title and times, not its identity', () => {
    expect(
      imported({
        id: 7,
        uid: 'u',
        description: 'd',
        title: 'Nodes',
        editable: true,
        tags: ['a'],
        timezone: 'browser',
        sharedCrosshair: true,
        refresh: '10s',
        time: { from: 'now-1h', to: 'now' },
      }),
    ).toEqual({
      title: 'Nodes',
      editable: true,
      tags: ['a'],
      timezone: 'browser',
      shared_crosshair: true,
      auto_refresh: '10s',
      time: { from: 'now-1h', to: 'now' },
      annotations: [],
      templatings: [],
      panels: [],
    })
    expect(imported({ refresh: false })).not.toHaveProperty('auto_refresh')
  })

  it('keeps graphs, drops stats, makes a single number of what it does not know', () => {
    const { panels } = imported({
      panels: [
        { type: 'graph', title: 'g', height: 100, targets: [{ expr: 'up' }, { expr: 'down' }] },
        { type: 'stat', targets: [{ expr: 'up' }] },
        { type: 'timeseries', title: 't', gauge: { show: true }, targets: [{ expr: 'up' }] },
      ],
    })
    expect(panels).toEqual([
      expect.objectContaining({
        type: 'graph',
        title: 'g',
        targets: [
          { refId: 1, expr: 'up' },
          { refId: 2, expr: 'down' },
        ],
      }),
      { type: 'singlestat', title: 't', targets: [{ refId: 1, expr: 'up' }] },
    ])
    expect((panels as object[])[0]).not.toHaveProperty('height')
  })

  it('has its rows unfolded, old ones last', () => {
    const { panels } = imported({
      rows: [{ panels: [{ type: 'text', title: 'old', content: 'c', mode: 'markdown' }] }],
      panels: [{ type: 'row', panels: [{ type: 'table', title: 'inner' }] }],
    })
    expect(panels).toMatchObject([{ title: 'inner' }, { title: 'old', content: 'c', mode: 'markdown' }])
  })

  it('keeps annotations by tags and variables with a text to ask for', () => {
    const { annotations, templatings } = imported({
      annotations: {
        list: [
          { type: 'tags', name: 'Annotations & Alerts' },
          { type: 'dashboard' },
          { type: 'tags', name: 'x', enable: true },
        ],
      },
      templating: {
        list: [
          { name: 'q', query: 'up', hide: 2, options: [{ text: 'a', value: 'b', selected: true }] },
          { name: 'object', query: { expr: 'up' } },
        ],
      },
    })
    expect(annotations).toEqual([{ type: 'tags', name: 'x', enable: true }])
    expect(templatings).toEqual([
      { name: 'q', query: 'up', hide: 2, options: [{ text: 'a', value: 'b', selected: true }] },
    ])
  })

  it('has the legend of a graph as flags, and its unit by our name', () => {
    const { panels } = imported({
      panels: [
        {
          type: 'graph',
          legend: { show: true, alignAsTable: true, hideZero: true, avg: true },
          yaxes: [{ format: 'percentunit', decimals: 1 }, { format: 'bytes' }],
        },
        { type: 'graph', legend: { show: false }, yaxes: [{ format: 'Bps' }] },
      ],
    })
    expect(panels).toMatchObject([
      {
        legend: ['as_table', 'avg', 'no_zero_series'],
        yaxes: [{ format: 'percent (0.0-1.0)', decimals: 1 }],
      },
      { legend: ['hide'], yaxes: [{ format: 'Byte' }] },
    ])
  })

  it('shows a single number with a sparkline and three colors, or seven of ours', () => {
    const { panels } = imported({
      panels: [
        { type: 'singlestat', colors: ['a', 'b', 'c'], sparkline: { show: true, full: true } },
        { type: 'singlestat', colors: ['a'], sparkline: { show: false }, decimals: 2 },
      ],
    })
    expect(panels).toMatchObject([
      { colors: ['a', 'b', 'c'], sparkline: 'full', decimals: 0 },
      { colors: expect.objectContaining({ length: 7 }) as unknown, decimals: 2 },
    ])
    expect((panels as object[])[1]).not.toHaveProperty('sparkline')
  })

  it.each(['[]', 'null', '1', '{', ''])('%s is refused', (content) => {
    expect(() => dashboardSpec(content)).toThrow()
  })

  it.each([
    { panels: 1, rows: [1], annotations: [], templating: { list: {} } },
    { panels: [null, { type: {} }] },
  ])('with fields of the wrong type has none of them', (dashboard) => {
    expect(imported(dashboard)).toMatchObject({ panels: [], annotations: [], templatings: [] })
  })
})

describe('a query of a panel', () => {
  it.each([
    ['sum(rate(x{job="$job"}[$interval]))', { expr: 'sum(rate(x[3m]))', step: '1m' }],
    ['rate(x{a="b"}[$__interval])>5', { expr: 'rate(x[3m])', step: '1m' }],
    ['x{a="b"} > 5', { expr: 'x > 5', step: '1m' }],
    ['rate(x{}[$__rate_interval])', { expr: 'rate(x[$__rate_interval])', step: '1m' }],
    ['rate(x[$interval])', { expr: 'rate(x[$interval])' }],
    ['{job="a"}', { expr: '{job="a"}' }],
  ])('%s', (expr, expected) => {
    expect(target(expr)).toEqual({ refId: 1, ...expected })
  })

  it('has a legend whose places have no blanks', () => {
    expect(target('up', '{{ node }} of {{job }} {{')).toMatchObject({
      legendFormat: '{{node}} of {{job}} {{',
    })
  })

  it('of braces that nothing closes takes no time that grows with their square', () => {
    expect(target('{'.repeat(200_000))).toMatchObject({ refId: 1 })
  })
})
