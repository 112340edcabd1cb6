/**
 * Makes the spec of our dashboards of a dashboard that Grafana has exported.
 *
 * Much is left out on purpose: template variables, because they have no values here, and with them all filters of queries.
 */
import { type FieldType, type Json, objectOf, objectsOf, picked, textsOf } from './fields.js'
import { panelOf } from './panels.js'

/** The one that Grafana puts into every dashboard. */
const BUILT_IN_ANNOTATION = 'Annotations & Alerts'

const ANNOTATION: Record<string, FieldType> = {
  name: 'string',
  datasource: 'string',
  iconColor: 'string',
  tags: 'strings',
  showLine: 'boolean',
  lineColor: 'string',
  iconSize: 'number',
  enable: 'boolean',
  query: 'string',
  expr: 'string',
  step: 'string',
  textField: 'string',
  textFormat: 'string',
  titleFormat: 'string',
  tagsField: 'string',
  tagKeys: 'string',
  type: 'string',
}

const TEMPLATING: Record<string, FieldType> = {
  name: 'string',
  type: 'string',
  auto: 'boolean',
  auto_count: 'number',
  datasource: 'string',
  includeAll: 'boolean',
  allFormat: 'string',
  allValue: 'string',
  multi: 'boolean',
  multiFormat: 'string',
  query: 'string',
  regex: 'string',
  label: 'string',
  hide: 'number',
  sort: 'number',
}

/** @throws Error for what is no JSON object */
export function dashboardSpec(content: string): Json {
  const grafana: unknown = JSON.parse(content)
  if (typeof grafana !== 'object' || grafana === null || Array.isArray(grafana))
    throw new Error('a dashboard is a JSON object')
  return specOf(grafana as Json)
}

function specOf(grafana: Json): Json {
  const annotations = objectsOf(objectOf(grafana['annotations'])['list']).filter(
    ({ type, name }) => type === 'tags' && name !== BUILT_IN_ANNOTATION,
  )
  const templatings = objectsOf(objectOf(grafana['templating'])['list']).filter(
    ({ query }) => typeof query === 'string',
  )
  const panels = panelsOf(grafana)
    .map(panelOf)
    .filter((panel) => panel !== undefined)
  return {
    ...picked(grafana, { title: 'string', editable: 'boolean', timezone: 'string' }),
    tags: textsOf(grafana['tags']),
    ...(typeof grafana['sharedCrosshair'] === 'boolean' && { shared_crosshair: grafana['sharedCrosshair'] }),
    ...(typeof grafana['refresh'] === 'string' && { auto_refresh: grafana['refresh'] }),
    time: picked(objectOf(grafana['time']), { from: 'string', to: 'string' }),
    annotations: annotations.map((each) => picked(each, ANNOTATION)),
    templatings: templatings.map(templatingOf),
    panels,
  }
}

/** Rows are unfolded: the new ones, which are panels, and the old ones, which are beside them. */
function panelsOf(grafana: Json): Json[] {
  return [
    ...objectsOf(grafana['panels']).flatMap((panel) =>
      panel['type'] === 'row' ? objectsOf(panel['panels']) : [panel],
    ),
    ...objectsOf(grafana['rows']).flatMap((row) => objectsOf(row['panels'])),
  ]
}

function templatingOf(entry: Json): Json {
  const options = objectsOf(entry['options']).map((option) =>
    picked(option, { text: 'string', value: 'string', selected: 'boolean' }),
  )
  return { ...picked(entry, TEMPLATING), ...(options.length > 0 && { options }) }
}
