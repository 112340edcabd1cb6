/**
 * The query language of v1alpha3 lists (resources.md §2): paging, sorting, label selector, and every other key a
 * filter.
 */
import { parseSelector, type Selector } from '../apimachinery/labels/index.js'

export interface ListQuery {
  /** -1: no paging. */
  limit: number
  page: number
  /** As written; a kind that does not know it sorts by creation time. */
  sortBy: string
  ascending: boolean
  /** Undefined: everything. */
  labelSelector: Selector | undefined
  /** Key → value; of a repeated key the last. */
  filters: Map<string, string>
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const RESERVED = new Set(['page', 'limit', 'sortBy', 'ascending', 'labelSelector'])

/** Never throws: what cannot be read falls back as the original's does. */
export function parseListQuery(query: URLSearchParams): ListQuery {
  const filters = new Map<string, string>()
  for (const [key, value] of query) if (!RESERVED.has(key)) filters.set(key, value)
  return {
    limit: wholeNumber(query.get('limit')) ?? -1,
    page: wholeNumber(query.get('page')) ?? 1,
    sortBy: query.get('sortBy') ?? '',
    ascending: TRUE.has(query.get('ascending') ?? ''),
    labelSelector: selector(query.get('labelSelector')),
    filters,
  }
}

/** As Go's Atoi: an optional sign and digits, within 64 bits. */
function wholeNumber(text: string | null): number | undefined {
  if (text === null || !/^[+-]?\d+$/.test(text)) return undefined
  const value = Number(text)
  return Math.abs(value) < 2 ** 63 ? value : undefined
}

function selector(text: string | null): Selector | undefined {
  if (text === null || text === '') return undefined
  try {
    return parseSelector(text)
  } catch {
    return undefined // A selector that does not parse selects everything; clients rely on it.
  }
}

/** Positions of a page among `total` items. An impossible page is empty, never an error. */
export function pageBounds(
  { limit, page }: Pick<ListQuery, 'limit' | 'page'>,
  total: number,
): [number, number] {
  if (limit === -1) return [0, total]
  const start = (page - 1) * limit
  if (limit <= 0 || start < 0 || start >= total) return [0, 0]
  return [start, Math.min(start + limit, total)]
}
