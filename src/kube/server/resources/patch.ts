/** PATCH: JSON, merge, strategic and apply patches, on the versioned object. */
import {
  badRequest,
  notFound,
  StatusError,
  unsupportedMediaType,
} from '../../../apimachinery/errors/index.js'
import { isTextTooDeep } from '../../../apimachinery/json/depth.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { applyJsonPatch, applyMergePatch, applyStrategicPatch } from '../../../apimachinery/patch/index.js'
import { wireTime } from '../../registry/clock.js'
import { checkKind, decode } from '../../registry/decode.js'
import { type ResourceDefinition } from '../../registry/strategy.js'
import { type WriteOptions, type Written } from '../../registry/writeoptions.js'
import { type Api } from '../api.js'
import { mediaTypeOf, parseYamlBody } from '../body.js'
import { notImplemented } from '../errors.js'
import { type Exchange } from '../exchange.js'
import { negotiate } from '../negotiate.js'
import { writeOptions } from '../query.js'
import { answerWritten } from './write.js'

const JSON_PATCH = 'application/json-patch+json'
const MERGE = 'application/merge-patch+json'
const STRATEGIC = 'application/strategic-merge-patch+json'
const APPLY = 'application/apply-patch+yaml'

export const isApply = (type: string): boolean => type === APPLY

/** A patch body, read and understood, ready to be applied again and again. */
export type Patch = (current: KubeObject) => KubeObject

/** @throws StatusError 415 */
export function patchType(exchange: Exchange, definition: ResourceDefinition): string {
  const type = mediaTypeOf(exchange)
  const accepted = definition.custom ? [JSON_PATCH, MERGE, APPLY] : [JSON_PATCH, MERGE, STRATEGIC, APPLY]
  if (accepted.includes(type)) return type
  if (!definition.custom) {
    const message = '415: Unsupported Media Type'
    throw new StatusError({ code: 415, reason: 'UnsupportedMediaType', message, details: {} })
  }
  throw unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  )
}

function parsePatch(bytes: Buffer): unknown {
  if (isTextTooDeep(bytes)) throw badRequest('error decoding patch: exceeded max depth')
  try {
    return JSON.parse(bytes.toString())
  } catch (error) {
    throw badRequest(`error decoding patch: ${error instanceof Error ? error.message : 'invalid JSON'}`)
  }
}

/** @throws StatusError 400, 413 */
export async function readPatch(
  api: Api,
  exchange: Exchange,
  definition: ResourceDefinition,
  type: string,
): Promise<Patch> {
  if (type === APPLY) throw unsupportedMediaType('server-side apply is not served on this path')
  const body = parsePatch(await exchange.body())
  if (type === JSON_PATCH) return (current) => applyJsonPatch(current, body)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest('error decoding patch: a patch of this type is a JSON object')
  }
  if (type === MERGE) return (current) => applyMergePatch(current, body)
  const { schema } = definition.strategy
  const merge = 'builtin' in schema ? api.patchSchema(schema.builtin) : undefined
  return (current) => applyStrategicPatch(current, body, merge)
}

export async function patch(api: Api, exchange: Exchange, definition: ResourceDefinition): Promise<void> {
  const { namespace, name, subresource } = exchange.requestInfo
  const type = patchType(exchange, definition)
  const form = negotiate(exchange, definition, 'get')
  const options = writeOptions(exchange, 'PatchOptions', subresource, type === APPLY)
  if (type === APPLY) {
    const written = await apply(api, exchange, definition, options)
    return answerWritten(api, exchange, definition, written, form)
  }
  const change = await readPatch(api, exchange, definition, type)
  const written = await api.registry.update(
    definition,
    namespace,
    name,
    (current) => decode(api.catalogue, definition, structuredClone(change(current)), options),
    options,
  )
  await answerWritten(api, exchange, definition, written, form)
}

/** The applied configuration. @throws StatusError 400 */
export async function appliedBody(
  api: Api,
  exchange: Exchange,
  definition: ResourceDefinition,
): Promise<KubeObject> {
  const body = parseYamlBody(await exchange.body(), definition.kind)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest('error decoding patch: an applied configuration is an object')
  }
  const applied = body as KubeObject
  checkKind(api.catalogue, definition, applied, true)
  if (applied.metadata?.managedFields) throw badRequest('metadata.managedFields must be nil')
  const { namespace, name } = exchange.requestInfo
  const issues = { unknown: [] as string[], duplicate: [] as string[] }
  definition.strategy.decode(structuredClone(applied), issues)
  const [unknown] = issues.unknown
  if (unknown !== undefined) {
    throw badRequest(`failed to create typed patch object: .${unknown}: field not declared in schema`)
  }
  applied.metadata ??= {}
  applied.metadata.name ??= name
  if (applied.metadata.name !== name) {
    throw badRequest(
      `the name of the object (${applied.metadata.name}) does not match the name on the URL (${name})`,
    )
  }
  if (definition.namespaced) applied.metadata.namespace ??= namespace
  return applied
}

async function apply(
  api: Api,
  exchange: Exchange,
  definition: ResourceDefinition,
  options: WriteOptions & { force: boolean },
): Promise<Written> {
  return writeApplied(api, exchange, definition, await appliedBody(api, exchange, definition), options)
}

/** Merges an applied configuration and stores the result. @throws StatusError 404, 409, 422, ... */
export async function writeApplied(
  api: Api,
  exchange: Exchange,
  definition: ResourceDefinition,
  applied: KubeObject,
  options: WriteOptions & { force: boolean },
): Promise<Written> {
  const { namespace, name, subresource } = exchange.requestInfo
  const { fields } = api.registry.deps
  if (!fields) throw notImplemented('server-side apply is not available on this server')
  const by = {
    manager: options.fieldManager,
    subresource,
    time: wireTime(api.clock.now()),
    force: options.force,
  }
  const merged = (previous: KubeObject | undefined): KubeObject =>
    decode(api.catalogue, definition, fields.apply(definition, previous, structuredClone(applied), by), {
      fieldValidation: 'Ignore',
      warn: options.warn,
    })
  // The fields are owned already; nothing is left for the tracker of updates.
  return api.registry.update(definition, namespace, name, merged, { ...options, fieldManager: '' }, () => {
    if (subresource !== '') throw notFound(definition, name)
    return merged(undefined)
  })
}
