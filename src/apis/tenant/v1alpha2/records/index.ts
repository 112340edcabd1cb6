/**
 * Finding out afterwards: `/logs`, `/events` and `/auditing/events`.
 *
 * Nobody is refused; what may be read is decided in `src/tenancy/narrowing`, and who may read nothing gets an empty
 * answer without the store being asked.
 */
import { Type } from '../../../../apimachinery/schema/type.js'
import { StatusError } from '../../../../apimachinery/errors/index.js'
import { type RecordStore, type RecordStores } from '../../../../integrations/records/interface.js'
import { route, type Route } from '../../../../serving/route.js'
import { isEmpty, RecordNarrowing, type RecordNarrowingDeps } from '../../../../tenancy/narrowing/index.js'
import { documentAnswer, logRecord, orNull } from './answers.js'
import { exportLines } from './export.js'
import { auditFilters, eventFilters, logFilters, placeFilters } from './filters.js'
import { DEFAULT_INTERVAL, listIn, operationOf, pageIn, timesIn } from './parameters.js'
import { readableAudits, readableEvents, readableLogs } from './scopes.js'

export interface RecordRoutesDeps extends RecordNarrowingDeps {
  /** Those that are configured. */
  records: Partial<RecordStores>
  /** Most lines of one export. */
  exportLogsLimit: number
}

const TEXT = Type.Optional(Type.String())
const COMMON = ['operation', 'start_time', 'end_time', 'interval', 'sort', 'from', 'size']
const PLACES = ['workspace_filter', 'workspace_search']

export function recordRoutes(deps: RecordRoutesDeps): Route[] {
  const narrowing = new RecordNarrowing(deps)
  return [
    route({
      method: 'GET',
      path: '/logs',
      summary:
        'Search the log lines of pods that the caller may read: query, statistics, histogram or export.',
      access: 'authorized',
      produces: ['application/json', 'text/plain'],
      query: texts(
        ...COMMON,
        ...['namespaces', 'namespace_query', 'workloads', 'workload_query', 'pods', 'pod_query'],
        ...['containers', 'container_query', 'log_query'],
      ),
      async handle({ user, query, exchange }) {
        const store = given(deps.records.logs, 'logging')
        const times = timesIn(query)
        const { signal } = exchange
        const scope = await narrowing.logs(user, {
          namespaces: listIn(query, 'namespaces') ?? [],
          namespaceSearch: listIn(query, 'namespace_query') ?? [],
        })
        const records = isEmpty(scope)
          ? undefined
          : { readable: readableLogs(scope), where: logFilters(query), ...times }
        switch (operationOf(query)) {
          case 'statistics': {
            const counted = records && (await store.statistics(records, signal))
            return { statistics: { containers: counted?.distinct ?? 0, logs: counted?.total ?? 0 } }
          }
          case 'histogram': {
            const interval = query.get('interval') || DEFAULT_INTERVAL
            const counted = records && (await store.histogram(records, interval, signal))
            return { histogram: { total: counted?.total ?? 0, histograms: orNull(counted?.buckets ?? []) } }
          }
          case 'export':
            return exportLines(
              exchange,
              records ? store.stream(records, deps.exportLogsLimit, signal) : nothing(),
            )
          case 'query': {
            const { total, documents } = records
              ? await store.page(records, pageIn(query), signal)
              : { total: 0, documents: [] }
            return { query: { total, ...(documents.length > 0 && { records: documents.map(logRecord) }) } }
          }
        }
      },
    }),
    route({
      method: 'GET',
      path: '/events',
      summary: 'Search the Kubernetes Events that the caller may read: query, statistics or histogram.',
      access: 'authorized',
      query: texts(
        ...COMMON,
        ...PLACES,
        ...['namespace_filter', 'namespace_search', 'name_filter', 'name_search', 'kind_filter'].map(
          (name) => `involved_object_${name}`,
        ),
        ...['reason_filter', 'reason_search', 'message_search', 'type_filter'],
      ),
      async handle({ user, query, signal }) {
        const store = given(deps.records.events, 'events')
        const times = timesIn(query)
        const scope = await narrowing.events(user, placeFilters(query, 'involved_object'))
        const records = isEmpty(scope)
          ? undefined
          : { readable: readableEvents(scope), where: eventFilters(query), ...times }
        return documentAnswer(store, { records, query, signal })
      },
    }),
    route({
      method: 'GET',
      path: '/auditing/events',
      summary: 'Search the audit events that the caller may read: query, statistics or histogram.',
      access: 'authorized',
      query: texts(
        ...COMMON,
        ...PLACES,
        ...['namespace_filter', 'namespace_search', 'name_filter', 'name_search'].map(
          (name) => `objectref_${name}`,
        ),
        ...['resource_filter', 'subresource_filter'].map((name) => `objectref_${name}`),
        ...['level_filter', 'verb_filter', 'user_filter', 'user_search', 'group_search', 'source_ip_search'],
        ...['response_code_filter', 'response_status_filter'],
      ),
      async handle({ user, query, signal }) {
        const store = given(deps.records.audits, 'auditing')
        const times = timesIn(query)
        const scope = await narrowing.auditing(user, placeFilters(query, 'objectref'))
        const records = isEmpty(scope)
          ? undefined
          : { readable: readableAudits(scope), where: auditFilters(query), ...times }
        return documentAnswer(store, { records, query, signal })
      },
    }),
  ]
}

function texts(...names: string[]): ReturnType<typeof Type.Object> {
  return Type.Object(Object.fromEntries(names.map((name) => [name, TEXT])))
}

/** @throws StatusError 501 */
function given(store: RecordStore | undefined, section: string): RecordStore {
  if (store) return store
  throw new StatusError({
    code: 501,
    reason: '',
    message: `no store is configured in the section ${section}`,
  })
}

async function* nothing(): AsyncGenerator<never> {
  // No portions.
}
