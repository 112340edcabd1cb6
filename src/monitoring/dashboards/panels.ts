/** Panels of Grafana as panels of ours. Each kind has fields of its own; the type tells which apply. */
import { type FieldType, type Json, objectOf, objectsOf, picked, textsOf } from './fields.js'
import { targetOf } from './targets.js'

const COLORS = ['#60acfc', '#23c2db', '#64d5b2', '#d5ec5a', '#ffb64e', '#fb816d', '#d15c7f']

/** Nothing of ours shows them. */
const DROPPED: ReadonlySet<unknown> = new Set(['stat', 'heatmap', 'dashlist', 'row'])

const COMMON: Record<string, FieldType> = {
  title: 'string',
  id: 'number',
  description: 'string',
  datasource: 'string',
  height: 'string',
  decimals: 'number',
  format: 'string',
}

const BAR_GAUGE: Record<string, FieldType> = {
  orientation: 'string',
  textMode: 'string',
  colorMode: 'string',
  graphMode: 'string',
  justifyMode: 'string',
  displayMode: 'string',
  content: 'string',
  mode: 'string',
}

const LEGEND_FLAGS: readonly (readonly [field: string, flag: string])[] = [
  ['alignAsTable', 'as_table'],
  ['rightSide', 'to_the_right'],
  ['min', 'min'],
  ['max', 'max'],
  ['avg', 'avg'],
  ['current', 'current'],
  ['total', 'total'],
  ['hideEmpty', 'no_null_series'],
  ['hideZero', 'no_zero_series'],
]

const OWN_FIELDS: Readonly<Record<string, (panel: Json) => Json>> = {
  graph,
  singlestat,
  bargauge: ({ options }) => ({ options: picked(objectOf(options), BAR_GAUGE) }),
  table: (panel) => ({
    sort: picked(objectOf(panel['sort']), { col: 'number', desc: 'boolean' }),
    ...picked(panel, { scroll: 'boolean' }),
  }),
  // Newer releases keep both among the options.
  text: (panel) => ({
    ...picked(objectOf(panel['options']), { mode: 'string', content: 'string' }),
    ...picked(panel, { mode: 'string', content: 'string' }),
  }),
}

/** A kind that is not known here becomes a single number of the same queries. */
export function panelOf(panel: Json): Json | undefined {
  const type = panel['type']
  if (typeof type !== 'string' || DROPPED.has(type)) return undefined
  const own = Object.hasOwn(OWN_FIELDS, type) ? OWN_FIELDS[type] : undefined
  const targets = objectsOf(panel['targets']).map((target, index) => targetOf(target, index + 1))
  return {
    ...picked(panel, COMMON),
    type: own ? type : 'singlestat',
    ...(targets.length > 0 && { targets }),
    ...own?.(panel),
  }
}

function graph(panel: Json): Json {
  return {
    colors: COLORS,
    legend: legendOf(objectOf(panel['legend'])),
    ...picked(panel, { bars: 'boolean', lines: 'boolean', stack: 'boolean' }),
    xaxis: picked(objectOf(panel['xaxis']), { format: 'string', decimals: 'number' }),
    yaxes: objectsOf(panel['yaxes'])
      .slice(0, 1)
      .map((axis) => ({ format: unitOf(axis['format']), ...picked(axis, { decimals: 'number' }) })),
  }
}

function legendOf(legend: Json): string[] {
  const flags = LEGEND_FLAGS.filter(([field]) => legend[field] === true).map(([, flag]) => flag)
  return legend['show'] === true ? flags : ['hide', ...flags]
}

function unitOf(format: unknown): string {
  if (format === 'bytes' || format === 'Bps') return 'Byte'
  return format === 'percent' || format === 'percentunit' ? 'percent (0.0-1.0)' : 'none'
}

function singlestat(panel: Json): Json {
  const colors = textsOf(panel['colors'])
  const sparkline = objectOf(panel['sparkline'])
  return {
    decimals: 0,
    ...picked(panel, { decimals: 'number', valueName: 'string' }),
    colors: colors.length === 3 ? colors : COLORS,
    ...(sparkline['show'] === true && { sparkline: sparkline['full'] === true ? 'full' : 'bottom' }),
    gauge: picked(objectOf(panel['gauge']), {
      minValue: 'number',
      maxValue: 'number',
      show: 'boolean',
      thresholdLabels: 'boolean',
      thresholdMarkers: 'boolean',
    }),
  }
}
