/**
 * Bodies of guarded writes, as values.
 *
 * What was judged is what is sent on: never the client's bytes, which the Kubernetes API might read otherwise (keys
 * that occur twice, YAML of another dialect). Forms that cannot be read here are refused.
 */
import { parse as parseYaml } from 'yaml'
import { badRequest, unsupportedMediaType } from '../../apimachinery/errors/index.js'
import { isObject, type JsonObject } from '../../apimachinery/json/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { BODY_LIMITS, type BodyLimits, parseJson, readBody } from '../body.js'
import { type Exchange } from '../exchange.js'
import { mediaType } from '../mediatypes.js'

export const PATCH_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const
export type PatchType = keyof typeof PATCH_TYPES

const YAML = 'application/yaml'
const PLAIN_TYPES = new Set(['', 'application/json'])

/** Options of a delete; undefined when none were sent. */
export async function optionsBody(exchange: Exchange, limits?: BodyLimits): Promise<JsonObject | undefined> {
  const bytes = await readBody(exchange, limits ?? BODY_LIMITS)
  return bytes.length === 0 ? undefined : objectOf(exchange, bytes)
}

/** The object of a create or update. @throws StatusError 400, 413, 415 */
export async function objectBody(exchange: Exchange, limits?: BodyLimits): Promise<KubeObject> {
  const object = objectOf(exchange, await readBody(exchange, limits ?? BODY_LIMITS))
  return withMetadata(object)
}

/** @throws StatusError 415 for a type that is no patch */
export function patchTypeOf({ request }: Exchange): PatchType {
  const given = mediaType(request.headers['content-type'])
  for (const [type, name] of Object.entries(PATCH_TYPES)) if (name === given) return type as PatchType
  throw unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${Object.values(PATCH_TYPES).join(', ')}`,
  )
}

/** A list of operations for a JSON patch, an object for the others. @throws StatusError 400, 413 */
export async function patchBody(
  exchange: Exchange,
  type: PatchType,
  limits?: BodyLimits,
): Promise<JsonObject | JsonObject[]> {
  const bytes = await readBody(exchange, limits ?? BODY_LIMITS)
  const value = type === 'apply' ? yamlValue(bytes) : jsonValue(bytes)
  if (type === 'json') {
    if (Array.isArray(value) && value.every(isObject)) return value
    throw badRequest('error decoding patch: a JSON patch is a list of operations')
  }
  if (!isObject(value)) throw badRequest('error decoding patch: a patch of this type is an object')
  return withMetadata(value)
}

/** @throws StatusError 400 for what is nested too deep to be written */
export function bytesOf(value: unknown): Buffer {
  try {
    return Buffer.from(JSON.stringify(value))
  } catch (error) {
    throw badRequest('the body is nested too deep', { cause: error })
  }
}

function objectOf({ request }: Exchange, bytes: Buffer): JsonObject {
  const type = mediaType(request.headers['content-type'])
  let value: unknown
  if (PLAIN_TYPES.has(type)) value = jsonValue(bytes)
  else if (type === YAML) value = yamlValue(bytes)
  else
    throw unsupportedMediaType(
      `writes of this resource are checked, and that needs a body of one of these types: application/json, ${YAML}`,
    )
  if (!isObject(value)) throw badRequest('the body of the request is not an object')
  return value
}

function withMetadata(value: JsonObject): KubeObject {
  const { metadata } = value
  if (metadata !== undefined && metadata !== null && !isObject(metadata))
    throw badRequest('metadata is not an object')
  return { ...value, metadata: metadata ?? {} }
}

/** Read, and known to be writable again: whoever looks into it may be recursive too. */
function jsonValue(bytes: Buffer): unknown {
  const value = parseJson(bytes)
  bytesOf(value)
  return value
}

function yamlValue(bytes: Buffer): unknown {
  try {
    const value: unknown = parseYaml(bytes.toString(), { version: '1.1', schema: 'yaml-1.1', merge: false })
    // YAML has dates and sets; what is judged must be what is sent.
    return JSON.parse(JSON.stringify(value ?? null)) as unknown
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: ${error instanceof Error ? error.message : ''}`, {
      cause: error,
    })
  }
}
