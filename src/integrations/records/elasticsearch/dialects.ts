/** What the releases of Elasticsearch, and OpenSearch, want written differently. */

export interface Dialect {
  name: string
  /** Totals stop at ten thousand unless asked otherwise. */
  tracksTotals: boolean
  /** `interval` was split in two. */
  splitsIntervals: boolean
  /** The type that documents are stored under; later releases have none. */
  documentType: string | undefined
}

const MODERN = { tracksTotals: true, splitsIntervals: true, documentType: undefined }

export const DIALECTS = {
  '5': { name: 'Elasticsearch 5', tracksTotals: false, splitsIntervals: false, documentType: 'doc' },
  '6': { name: 'Elasticsearch 6', tracksTotals: false, splitsIntervals: false, documentType: '_doc' },
  '7': { name: 'Elasticsearch 7', tracksTotals: true, splitsIntervals: false, documentType: undefined },
  '8': { name: 'Elasticsearch 8', ...MODERN },
  opensearchv1: { name: 'OpenSearch 1', ...MODERN },
  opensearchv2: { name: 'OpenSearch 2', ...MODERN },
} as const satisfies Record<string, Dialect>

/** @param version as in the configuration @throws Error for one that is not known */
export function dialectNamed(version: string): Dialect {
  const known: Readonly<Record<string, Dialect>> = DIALECTS
  const dialect = Object.hasOwn(known, version) ? known[version] : undefined
  if (!dialect) throw new Error(`unsupported elasticsearch version ${version}`)
  return dialect
}

/** @param root the answer to `GET /` @throws Error for a release that is not known */
export function dialectOf(root: unknown): Dialect {
  const { version } = (root ?? {}) as { version?: { number?: unknown; distribution?: unknown } }
  const [major = ''] = (typeof version?.number === 'string' ? version.number : '').split('.')
  return dialectNamed(version?.distribution === 'opensearch' ? `opensearchv${major}` : major)
}
