/** GET of one object and of lists, and watches. */
import { type ListMeta } from '../../../apimachinery/meta/types.js'
import { filterFor } from '../../registry/selectors.js'
import { type ListOptions, type Page, readList, readOne } from '../../registry/list.js'
import { type Served, served } from '../../registry/served.js'
import { type ResourceDefinition } from '../../registry/strategy.js'
import { type FrameForm, type WatchSink } from '../../registry/watch.js'
import { metadataBytes } from '../../registry/bytes.js'
import { type Api } from '../api.js'
import { type Exchange } from '../exchange.js'
import { jsonForm, partialForm, protobufForm, tableForm } from '../forms.js'
import { encodeList, PROTOBUF } from '../../protobuf/index.js'
import { negotiate, type Negotiated } from '../negotiate.js'
import { answerBytes, answerJson } from '../output.js'
import { integer } from '../query.js'
import { flag } from '../requestinfo.js'
import { answerParts } from '../stream.js'
import { includeObject, table } from '../table.js'
import { wantsWebSocket, webSocketSink } from '../websocket.js'
import { badRequest, invalid } from '../../../apimachinery/errors/index.js'

/** Answers with one stored object, in the form the client negotiated. */
export async function answerObject(
  api: Api,
  exchange: Exchange,
  definition: ResourceDefinition,
  status: number,
  value: Buffer,
  form: Negotiated,
): Promise<void> {
  const resource = served(definition)
  const wire = await resource.wire(value)
  const { transform } = form
  if (transform?.kind === 'Table') {
    const { metadata } = JSON.parse(wire.toString()) as { metadata: ListMeta }
    const { resourceVersion } = metadata
    const result = table(resource, [wire], {
      request: { version: transform.version, includeObject: includeObject(exchange.query) },
      metadata: resourceVersion === undefined ? {} : { resourceVersion },
      now: new Date(api.clock.now()),
      header: true,
    })
    return answerJson(exchange, status, result, form)
  }
  if (transform) {
    const partial = Buffer.concat([partialOpening(transform.version), metadataBytes(wire), BRACE])
    return answerBytes(exchange, status, partial, form)
  }
  answerBytes(exchange, status, wire, form)
}

const BRACE = Buffer.from('}')
const COMMA = Buffer.from(',')

function partialOpening(version: string): Buffer {
  return Buffer.from(`{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}","metadata":`)
}

export async function get(api: Api, exchange: Exchange, definition: ResourceDefinition): Promise<void> {
  const { namespace, name } = exchange.requestInfo
  const form = negotiate(exchange, definition, 'get')
  const resourceVersion = exchange.query.get('resourceVersion') ?? ''
  const entry = await readOne(api.storage, definition, namespace, name, resourceVersion, exchange)
  await answerObject(api, exchange, definition, 200, entry.value, form)
}

function listOptions(exchange: Exchange, definition: ResourceDefinition): ListOptions {
  const { query } = exchange
  return {
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    limit: Math.max(0, integer(query, 'limit') ?? 0),
    continue: query.get('continue') ?? '',
    filter: filterFor(definition, query.get('labelSelector') ?? '', query.get('fieldSelector') ?? ''),
    caller: exchange,
  }
}

export async function list(api: Api, exchange: Exchange, definition: ResourceDefinition): Promise<void> {
  const form = negotiate(exchange, definition, 'list')
  if (exchange.query.has('sendInitialEvents')) {
    throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
      {
        reason: 'FieldValueForbidden',
        field: 'sendInitialEvents',
        message: 'Forbidden: sendInitialEvents is forbidden for list',
      },
    ])
  }
  const options = listOptions(exchange, definition)
  const page = await readList(api.storage, definition, exchange.requestInfo.namespace, options)
  await answerList(api, exchange, definition, page, form)
}

export function listMetadata(page: Page): ListMeta {
  return {
    resourceVersion: String(page.revision),
    ...(page.continue !== '' && { continue: page.continue }),
    ...(page.remaining !== undefined && { remainingItemCount: page.remaining }),
  }
}

/** Answers with a page of stored objects; bytes are passed on where the form allows. */
export async function answerList(
  api: Api,
  exchange: Exchange,
  definition: ResourceDefinition,
  page: Page,
  form: Negotiated,
): Promise<void> {
  const resource = served(definition)
  const metadata = listMetadata(page)
  const { transform } = form
  // Asked for together: a webhook that converts them is called once.
  const made = page.items.map(({ value }) => resource.wire(value))
  const waits = made.some((wire) => wire instanceof Promise)
  const wires = waits ? await Promise.all(made.map((wire) => Promise.resolve(wire))) : (made as Buffer[])
  if (transform?.kind === 'Table') {
    const result = table(resource, wires, {
      request: { version: transform.version, includeObject: includeObject(exchange.query) },
      metadata,
      now: new Date(api.clock.now()),
      header: true,
    })
    return answerJson(exchange, 200, result, form)
  }
  if (form.mediaType === PROTOBUF) {
    const pieces = await protobufList(definition, metadata, wires, transform)
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0)
    return answerParts(exchange, PROTOBUF, pieces, size)
  }
  const [head, items] = transform
    ? [
        { kind: transform.kind, apiVersion: `meta.k8s.io/${transform.version}`, metadata },
        wires.map((wire) => [partialOpening(transform.version), metadataBytes(wire), BRACE]),
      ]
    : [
        { kind: definition.listKind, apiVersion: resource.apiVersion, metadata },
        wires.map((wire) => resource.item(wire)),
      ]
  const parts: Buffer[] = [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`)]
  items.forEach((item, i) => {
    if (i > 0) parts.push(COMMA)
    parts.push(...item)
  })
  parts.push(Buffer.from(']}\n'))
  const size = parts.reduce((sum, part) => sum + part.length, 0)
  if (form.mediaType !== 'application/json' || form.pretty) {
    return answerBytes(exchange, 200, Buffer.concat(parts, size), form)
  }
  await answerParts(exchange, form.mediaType, parts, size)
}

function protobufList(
  definition: ResourceDefinition,
  metadata: ListMeta,
  wires: readonly Buffer[],
  transform: Negotiated['transform'],
): Promise<Buffer[]> {
  if (!transform) {
    const { apiVersion } = served(definition)
    const { kind, listKind } = definition
    return encodeList({ apiVersion, kind: listKind }, metadata, { apiVersion, kind }, wires)
  }
  const apiVersion = `meta.k8s.io/${transform.version}`
  const list = { apiVersion, kind: transform.kind }
  const partial = wires.map((wire) => Buffer.concat([METADATA, metadataBytes(wire), BRACE]))
  return encodeList(list, metadata, { apiVersion, kind: 'PartialObjectMetadata' }, partial)
}

const JSON_TYPE = 'application/json' as const
const METADATA = Buffer.from('{"metadata":')

function frameForm(api: Api, exchange: Exchange, resource: Served, form: Negotiated): FrameForm {
  const { transform } = form
  if (transform?.kind === 'Table') {
    const request = { version: transform.version, includeObject: includeObject(exchange.query) }
    return tableForm(resource, request, api.clock)
  }
  const json = transform ? partialForm(transform.version) : jsonForm(resource)
  return form.mediaType === PROTOBUF ? protobufForm(resource, json, transform?.version) : json
}

async function sinkFor(exchange: Exchange, form: Negotiated): Promise<WatchSink> {
  if (wantsWebSocket(exchange)) return webSocketSink(exchange)
  const stream = form.mediaType === PROTOBUF ? `${PROTOBUF};stream=watch` : form.mediaType
  exchange.head(200, { 'content-type': stream })
  return { joins: true, frame: (bytes) => exchange.data(bytes), end: () => exchange.end() }
}

/** Without `timeoutSeconds` a watch ends after half an hour to an hour. */
const WATCH_MIN_SECONDS = 30 * 60

export async function watch(api: Api, exchange: Exchange, definition: ResourceDefinition): Promise<void> {
  const { query } = exchange
  const asked = negotiate(exchange, definition, 'watch')
  // Frames of a WebSocket are texts.
  const form =
    wantsWebSocket(exchange) && asked.mediaType === PROTOBUF ? { ...asked, mediaType: JSON_TYPE } : asked
  const { namespace, pathName } = exchange.requestInfo
  const byName = pathName === '' ? '' : `metadata.name=${pathName}`
  const fields = [query.get('fieldSelector') ?? '', byName].filter((text) => text !== '').join(',')
  const given = integer(query, 'timeoutSeconds') ?? 0
  if (given < 0) throw badRequest('timeoutSeconds must not be negative')
  const seconds = given > 0 ? given : WATCH_MIN_SECONDS + api.random.below(WATCH_MIN_SECONDS)
  const resource = served(definition)
  const options = {
    namespace,
    filter: filterFor(definition, query.get('labelSelector') ?? '', fields),
    form: frameForm(api, exchange, resource, form),
    bookmarks: flag(query, 'allowWatchBookmarks'),
    timeoutMs: seconds * 1_000,
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    sendInitialEvents: query.has('sendInitialEvents') ? flag(query, 'sendInitialEvents') : undefined,
    signal: exchange.signal,
  }
  const start = await api.watches.start(definition, options)
  if (exchange.ended) return
  const opened = api.watches.create(definition, options, start, await sinkFor(exchange, form))
  exchange.onResume(() => opened.resume())
  exchange.onEnd(() => opened.close())
  opened.open()
}
