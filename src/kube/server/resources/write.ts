/** POST, PUT and DELETE of objects and collections. */
import { badRequest, isNotFound, type Status } from '../../../apimachinery/errors/index.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { uidOf } from '../../registry/bytes.js'
import { decode } from '../../registry/decode.js'
import { type DeleteOptions, deleteOptions } from '../../registry/deleteoptions.js'
import { readList } from '../../registry/list.js'
import { filterFor } from '../../registry/selectors.js'
import { served } from '../../registry/served.js'
import { type ResourceDefinition } from '../../registry/strategy.js'
import { type Written } from '../../registry/writeoptions.js'
import { type Api } from '../api.js'
import { mediaTypeOf, objectBody, parseJsonBody, parseYamlBody } from '../body.js'
import { decodeObject, PROTOBUF } from '../../protobuf/index.js'
import { type Exchange } from '../exchange.js'
import { negotiate } from '../negotiate.js'
import { answerJson } from '../output.js'
import { integer, isDryRun, writeOptions } from '../query.js'
import { answerList, answerObject } from './read.js'

export async function create(api: Api, exchange: Exchange, definition: ResourceDefinition): Promise<void> {
  const form = negotiate(exchange, definition, 'get')
  const options = writeOptions(exchange, 'CreateOptions', '')
  const { object: body, duplicates } = await objectBody(exchange, definition)
  const object = decode(api.catalogue, definition, body, options, duplicates)
  const { value } = await api.registry.create(definition, exchange.requestInfo.namespace, object, options)
  await answerObject(api, exchange, definition, 201, value, form)
}

export async function update(api: Api, exchange: Exchange, definition: ResourceDefinition): Promise<void> {
  const { namespace, name, subresource } = exchange.requestInfo
  const form = negotiate(exchange, definition, 'get')
  const options = writeOptions(exchange, 'UpdateOptions', subresource)
  const { object: body, duplicates } = await objectBody(exchange, definition)
  const object = decode(api.catalogue, definition, body, options, duplicates)
  checkName(object, name)
  const make = (): KubeObject => structuredClone(object)
  const mayCreate = definition.strategy.allowCreateOnUpdate && subresource === ''
  const written = await api.registry.update(
    definition,
    namespace,
    name,
    make,
    options,
    mayCreate ? make : undefined,
  )
  await answerWritten(api, exchange, definition, written, form)
}

function checkName({ metadata }: KubeObject, name: string): void {
  if (metadata.name && metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
  }
}

export async function answerWritten(
  api: Api,
  exchange: Exchange,
  definition: ResourceDefinition,
  { value, created }: Written,
  form: Parameters<typeof answerObject>[5],
): Promise<void> {
  await answerObject(api, exchange, definition, created ? 201 : 200, value, form)
}

function parsedOptions(bytes: Buffer, mediaType: string): unknown {
  const kind = 'DeleteOptions'
  if (mediaType === 'application/yaml') return parseYamlBody(bytes, kind)
  if (mediaType !== PROTOBUF) return parseJsonBody(bytes, kind)
  const options: Record<string, unknown> = decodeObject(bytes, { apiVersion: 'meta.k8s.io/v1', kind })
  // Unset pointers stay away; an unset text comes as "".
  if (options['propagationPolicy'] === '') delete options['propagationPolicy']
  return options
}

/** DeleteOptions of the body, or else of the query. @throws StatusError 400, 413, 415, 422 */
async function readDeleteOptions(exchange: Exchange): Promise<DeleteOptions> {
  const { query } = exchange
  const bytes = await exchange.body()
  const given: Record<string, unknown> = {}
  if (bytes.length > 0) {
    const value = parsedOptions(bytes, mediaTypeOf(exchange))
    if (typeof value !== 'object' || value === null) throw badRequest('DeleteOptions must be an object')
    const { kind } = value as { kind?: unknown }
    if (kind !== undefined && kind !== 'DeleteOptions') {
      throw badRequest(`decoded object cannot be converted to DeleteOptions`)
    }
    Object.assign(given, value)
  } else {
    const grace = integer(query, 'gracePeriodSeconds')
    if (grace !== undefined) given.gracePeriodSeconds = grace
    for (const name of ['propagationPolicy', 'orphanDependents'] as const) {
      const text = query.get(name)
      if (text !== null) given[name] = name === 'orphanDependents' ? text === 'true' : text
    }
  }
  const options = deleteOptions(given)
  const dryRun = [...(options.dryRun ?? []), ...query.getAll('dryRun')]
  return { ...options, dryRun }
}

export async function remove(api: Api, exchange: Exchange, definition: ResourceDefinition): Promise<void> {
  const { namespace, name } = exchange.requestInfo
  const form = negotiate(exchange, definition, 'get')
  const deletion = await readDeleteOptions(exchange)
  const options = {
    ...writeOptions(exchange, 'DeleteOptions', ''),
    dryRun: isDryRun(deletion.dryRun ?? [], 'DeleteOptions'),
  }
  const { value, gone } = await api.registry.delete(definition, namespace, name, deletion, options)
  if (!gone) return answerObject(api, exchange, definition, 200, value, form)
  const { group, resource } = definition
  const status: Omit<Status, 'code'> = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(group !== '' && { group }), kind: resource, uid: uidOf(value) },
  }
  answerJson(exchange, 200, status, form)
}

/** Deletions of a collection under way at the same time. */
const PARALLEL = 16

export async function removeCollection(
  api: Api,
  exchange: Exchange,
  definition: ResourceDefinition,
): Promise<void> {
  const { query } = exchange
  const { namespace } = exchange.requestInfo
  const form = negotiate(exchange, definition, 'list')
  const deletion = await readDeleteOptions(exchange)
  const options = {
    ...writeOptions(exchange, 'DeleteOptions', ''),
    dryRun: isDryRun(deletion.dryRun ?? [], 'DeleteOptions'),
  }
  const page = await readList(api.storage, definition, namespace, {
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    limit: Math.max(0, integer(query, 'limit') ?? 0),
    continue: query.get('continue') ?? '',
    filter: filterFor(definition, query.get('labelSelector') ?? '', query.get('fieldSelector') ?? ''),
    caller: exchange,
  })
  const resource = served(definition)
  const waiting = page.items.values()
  const worker = async (): Promise<void> => {
    for (const { key } of waiting) {
      const where = resource.where(key)
      try {
        await api.registry.delete(definition, where.namespace, where.name, deletion, options)
      } catch (error) {
        if (!isNotFound(error)) throw error // Somebody else was faster.
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(PARALLEL, page.items.length) }, worker))
  await answerList(api, exchange, definition, page, form)
}
