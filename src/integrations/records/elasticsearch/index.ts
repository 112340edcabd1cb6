/** Records in Elasticsearch 5 to 8 or OpenSearch 1 and 2, as the platform's logging components keep them there. */
import { badRequest, StatusError } from '../../../apimachinery/errors/index.js'
import { JsonHttp } from '../../jsonhttp.js'
import {
  type JsonDocument,
  type RecordHistogram,
  type RecordQuery,
  type RecordStore,
  WINDOW,
} from '../interface.js'
import { parseInterval } from '../intervals.js'
import { type KindSchema, valueAt } from '../kinds.js'
import { CARDINALITY, HISTOGRAM, histogramBody, pageBody, scrollBody, statisticsBody } from './body.js'
import { type Dialect, dialectNamed, dialectOf } from './dialects.js'
import { indexOf, indicesFor } from './indices.js'

/** A section of the configuration. */
export interface ElasticsearchOptions {
  host: string
  basicAuth: boolean
  username: string
  password: string
  indexPrefix: string
  /** Empty: the server is asked. */
  version: string
}

interface Hits {
  total?: number | { value?: number }
  hits?: { _source?: JsonDocument }[]
}

interface SearchAnswer {
  hits?: Hits
  aggregations?: Record<string, { value?: number; buckets?: { key: number; doc_count: number }[] }>
  _scroll_id?: string
}

const TIMEOUT_MS = 60_000
const PORTION = 1_000
const KEEP_ALIVE = '1m'
const NO_ANSWER: SearchAnswer = {}

export class ElasticsearchRecords implements RecordStore {
  readonly #base: string
  readonly #prefix: string
  readonly #http: JsonHttp
  #dialect: Promise<Dialect> | undefined

  /** @throws Error for a version that is not supported, and for a host that is no address */
  constructor(
    private readonly schema: KindSchema,
    { host, basicAuth, username, password, indexPrefix, version }: ElasticsearchOptions,
    private readonly now: () => number = Date.now,
  ) {
    this.#base = new URL(/^https?:\/\//.test(host) ? host : `http://${host}`).href.replace(/\/+$/, '')
    this.#prefix = indexPrefix
    const credentials = Buffer.from(`${username}:${password}`).toString('base64')
    this.#http = new JsonHttp({
      // Installations sign their own certificates, and there is no key to configure for them.
      verifiesTls: false,
      timeoutMs: TIMEOUT_MS,
      ...(basicAuth && { headers: { authorization: `Basic ${credentials}` } }),
    })
    if (version !== '') this.#dialect = Promise.resolve(dialectNamed(version))
  }

  async append(documents: readonly JsonDocument[], signal?: AbortSignal): Promise<void> {
    const { documentType } = await this.#dialectInUse(signal)
    const lines = documents.flatMap((document) => {
      const time = Date.parse(String(valueAt(document, this.schema.time)))
      if (Number.isNaN(time)) return []
      const index = { _index: indexOf(this.#prefix, time), ...(documentType && { _type: documentType }) }
      return [JSON.stringify({ index }), JSON.stringify(document)]
    })
    if (lines.length === 0) return
    const answer = await this.#call('POST', '/_bulk', `${lines.join('\n')}\n`, signal, 'application/x-ndjson')
    const { errors, items = [] } = answer as { errors?: boolean; items?: { index?: { error?: unknown } }[] }
    if (errors) throw failed(errorText({ error: items.find(({ index }) => index?.error)?.index?.error }))
  }

  page: RecordStore['page'] = async (query, options, signal) => {
    if (options.offset + options.limit > WINDOW)
      throw badRequest(`from + size must be at most ${WINDOW}: narrow the time or the filters, or export`)
    const { hits } = await this.#search(
      query,
      (dialect) => pageBody(this.schema, query, dialect, options),
      signal,
    )
    return { total: totalOf(hits), documents: documentsOf(hits) }
  }

  statistics: RecordStore['statistics'] = async (query, signal) => {
    const found = await this.#search(query, (dialect) => statisticsBody(this.schema, query, dialect), signal)
    return { total: totalOf(found.hits), distinct: found.aggregations?.[CARDINALITY]?.value ?? 0 }
  }

  histogram: RecordStore['histogram'] = async (query, interval, signal): Promise<RecordHistogram> => {
    parseInterval(interval)
    const found = await this.#search(
      query,
      (dialect) => histogramBody(this.schema, query, dialect, interval),
      signal,
    )
    const buckets = found.aggregations?.[HISTOGRAM]?.buckets ?? []
    return {
      total: totalOf(found.hits),
      buckets: buckets.map(({ key, doc_count }) => ({ time: key, count: doc_count })),
    }
  }

  /** By a scroll, which is released at the end, however that comes. */
  async *stream(...[query, limit, signal]: Parameters<RecordStore['stream']>): AsyncIterable<JsonDocument[]> {
    const size = Math.min(limit, PORTION)
    let found = await this.#search(
      query,
      (dialect) => scrollBody(this.schema, query, dialect, size),
      signal,
      `&scroll=${KEEP_ALIVE}`,
    )
    let scroll = found._scroll_id
    try {
      for (let left = limit; left > 0;) {
        const documents = documentsOf(found.hits).slice(0, left)
        if (documents.length === 0) return
        yield documents
        left -= documents.length
        if (left === 0 || scroll === undefined) return
        const body = JSON.stringify({ scroll: KEEP_ALIVE, scroll_id: scroll })
        found = (await this.#call('POST', '/_search/scroll', body, signal)) as SearchAnswer
        scroll = found._scroll_id ?? scroll
      }
    } finally {
      if (scroll !== undefined)
        await this.#call('DELETE', '/_search/scroll', JSON.stringify({ scroll_id: [scroll] })).catch(
          () => undefined,
        )
    }
  }

  close(): void {
    this.#http.close()
  }

  /** Without asking, where nothing can match. */
  async #search(
    query: RecordQuery,
    bodyFor: (dialect: Dialect) => object,
    signal: AbortSignal | undefined,
    more = '',
  ): Promise<SearchAnswer> {
    const { readable, where, from, to } = query
    const isNothing =
      readable.length === 0 ||
      where.some((alternatives) => alternatives.length === 0) ||
      (from !== undefined && from.getTime() > (to?.getTime() ?? Infinity))
    if (isNothing) return NO_ANSWER
    const dialect = await this.#dialectInUse(signal)
    const indices = indicesFor(this.#prefix, from, to, this.now())
      .split(',')
      .map(encodeURIComponent)
      .join(',')
    const path = `/${indices}/_search?ignore_unavailable=true${more}`
    return (await this.#call('POST', path, JSON.stringify(bodyFor(dialect)), signal)) as SearchAnswer
  }

  /** Asked once; a server that does not answer is asked again next time. */
  async #dialectInUse(signal: AbortSignal | undefined): Promise<Dialect> {
    this.#dialect ??= this.#call('GET', '/', undefined, undefined).then(dialectOf)
    const asked = this.#dialect
    asked.catch(() => {
      if (this.#dialect === asked) this.#dialect = undefined
    })
    const dialect = await asked
    signal?.throwIfAborted()
    return dialect
  }

  async #call(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: string,
    signal?: AbortSignal,
    contentType?: string,
  ): Promise<unknown> {
    const url = new URL(this.#base + path)
    const { status, text } = await this.#http.send({
      method,
      url,
      signal,
      ...(body !== undefined && { body }),
      ...(contentType !== undefined && { contentType }),
    })
    let answer: unknown
    try {
      answer = JSON.parse(text)
    } catch (error) {
      throw failed(`the answer of ${url.host} (${status}) is not JSON`, { cause: error })
    }
    if (status >= 400) throw failed(errorText(answer))
    return answer
  }
}

function totalOf(hits: Hits | undefined): number {
  const total = hits?.total ?? 0
  return typeof total === 'number' ? total : (total.value ?? 0)
}

function documentsOf(hits: Hits | undefined): JsonDocument[] {
  return (hits?.hits ?? []).map(({ _source }) => _source ?? {})
}

/** The words are the server's alone, which is how clients show them. */
function failed(message: string, options?: ErrorOptions): StatusError {
  return new StatusError({ code: 500, reason: 'InternalError', message }, options)
}

/** What the first of its causes says, which is where the fault is. */
function errorText(answer: unknown): string {
  const { error } = (answer ?? {}) as { error?: unknown }
  if (typeof error === 'string') return error
  const { type, reason, root_cause } = (error ?? {}) as {
    type?: unknown
    reason?: unknown
    root_cause?: { reason?: unknown }[]
  }
  return `type: ${String(type)}, reason: ${String(root_cause?.[0]?.reason ?? reason)}`
}
