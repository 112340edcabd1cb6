/** Request bodies: JSON, YAML or protobuf into objects. */
import { parse as parseYaml } from 'yaml'
import { badRequest, unsupportedMediaType } from '../../apimachinery/errors/index.js'
import { isTextTooDeep, isTooDeep } from '../../apimachinery/json/depth.js'
import { apiVersionOf, type KubeObject } from '../../apimachinery/meta/types.js'
import { decodeObject, PROTOBUF } from '../protobuf/index.js'
import { type ResourceDefinition } from '../registry/strategy.js'
import { duplicateKeys } from './duplicates.js'
import { type Exchange } from './exchange.js'
import { offered } from './negotiate.js'

export interface Decoded {
  object: KubeObject
  /** Paths of keys that occurred twice. */
  duplicates: readonly string[]
}

export function mediaTypeOf(exchange: Exchange): string {
  return (exchange.header('content-type').split(';')[0] ?? '').trim().toLowerCase()
}

/** The unparsed text as error messages show it. */
function shown(bytes: Buffer): string {
  return bytes.length === 0 ? '<empty>' : bytes.toString().slice(0, 512)
}

function unrecognized(kind: string, bytes: Buffer, why: string): Error {
  return badRequest(
    `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: ${why} (${shown(bytes)})`,
  )
}

const OPENING_BRACE = 0x7b
const TOO_DEEP = 'exceeded max depth'

/** JSON.parse, its complaint in the words clients know. */
export function parseJsonBody(bytes: Buffer, kind: string): unknown {
  if (isTextTooDeep(bytes)) throw unrecognized(kind, bytes, TOO_DEEP)
  const text = bytes.toString()
  try {
    return JSON.parse(text)
  } catch (error) {
    const why =
      error instanceof Error && /end of JSON input|Unterminated/.test(error.message)
        ? 'unexpected end of JSON input'
        : `invalid JSON: ${error instanceof Error ? error.message : ''}`
    throw unrecognized(kind, bytes, why)
  }
}

export function parseYamlBody(bytes: Buffer, kind: string): unknown {
  if (isTextTooDeep(bytes)) throw unrecognized(kind, bytes, TOO_DEEP)
  // What clients call YAML is mostly JSON, which is read twenty times as fast.
  if (bytes[0] === OPENING_BRACE) {
    try {
      return JSON.parse(bytes.toString())
    } catch {
      // YAML, then.
    }
  }
  try {
    const value: unknown = parseYaml(bytes.toString(), { version: '1.1', schema: 'yaml-1.1', merge: false })
    if (!isTooDeep(value)) return value
    throw new Error(TOO_DEEP)
  } catch (error) {
    throw unrecognized(
      kind,
      bytes,
      `error converting YAML to JSON: ${error instanceof Error ? error.message : ''}`,
    )
  }
}

/** The object in the body of a create or update. @throws StatusError 400, 413, 415 */
export async function objectBody(
  exchange: Exchange,
  definition: ResourceDefinition,
  kind = definition.kind,
): Promise<Decoded> {
  const mediaType = mediaTypeOf(exchange)
  const bytes = await exchange.body()
  if (mediaType === PROTOBUF && !definition.custom) {
    return { object: decodeObject(bytes, { apiVersion: apiVersionOf(definition), kind }), duplicates: [] }
  }
  let value: unknown
  if (mediaType === '' || mediaType === 'application/json') value = parseJsonBody(bytes, kind)
  else if (mediaType === 'application/yaml') value = parseYamlBody(bytes, kind)
  else {
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${offered(definition).join(', ')}`,
    )
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const found = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
    throw unrecognized(kind, bytes, `cannot unmarshal ${found} into an object`)
  }
  // Looked for only when somebody asks: it reads the whole text once more.
  const wanted = ['Strict', 'Warn'].includes(exchange.query.get('fieldValidation') ?? '')
  const isJson = mediaType !== 'application/yaml'
  return {
    object: value as KubeObject,
    duplicates: wanted && isJson ? duplicateKeys(bytes.toString()) : [],
  }
}
