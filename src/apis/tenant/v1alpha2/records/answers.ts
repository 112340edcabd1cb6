/** The answers of the two searches for documents, events and audit events, which differ in one word. */
import {
  type JsonDocument,
  type RecordQuery,
  type RecordStore,
} from '../../../../integrations/records/interface.js'
import { DEFAULT_INTERVAL, operationOf, pageIn } from './parameters.js'

/** @param readable undefined: nothing may be read, so the store is not asked */
export async function documentAnswer(
  store: RecordStore,
  question: { records: RecordQuery | undefined; query: URLSearchParams; signal: AbortSignal },
): Promise<unknown> {
  const { records, query, signal } = question
  switch (operationOf(query)) {
    case 'statistics': {
      const { total, distinct } = records
        ? await store.statistics(records, signal)
        : { total: 0, distinct: 0 }
      return { statistics: { resources: distinct, events: total } }
    }
    case 'histogram': {
      const interval = query.get('interval') || DEFAULT_INTERVAL
      const { total, buckets } = records
        ? await store.histogram(records, interval, signal)
        : { total: 0, buckets: [] }
      return { histogram: { total, buckets: orNull(buckets) } }
    }
    default: {
      const { total, documents } = records
        ? await store.page(records, pageIn(query), signal)
        : { total: 0, documents: [] }
      return { query: { total, records: orNull(documents) } }
    }
  }
}

/** Lists without items are `null`, as clients know them. */
export function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length > 0 ? list : null
}

/** A log line as clients have it. */
export function logRecord({ log, time, kubernetes }: JsonDocument): Record<string, unknown> {
  const { namespace_name, pod_name, container_name } = (kubernetes ?? {}) as Record<string, unknown>
  const record = { log, time, namespace: namespace_name, pod: pod_name, container: container_name }
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined && value !== ''))
}
