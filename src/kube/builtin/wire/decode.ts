/**
 * Reads a parsed body as the Go types of Kubernetes 1.20 would read it and write it again.
 *
 * What the schema does not know is dropped and reported, a wrong type is refused, and absence is written
 * as the types write it (`resources: {}`, `creationTimestamp: null`), so that two spellings of one object
 * become the same JSON. Fields come out in the order of the recorded answers.
 */
import { badRequest } from '../../../apimachinery/errors/index.js'
import { canonical } from './quantity.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type DecodeIssues } from '../../registry/strategy.js'
import { type Field, type Plan, planOf, type WireType } from './plan.js'
import { canonicalMicroTime, canonicalTime } from '../../../apimachinery/meta/time.js'

type Json = Record<string, unknown>

/**
 * @param definition a key of the schema's definitions
 * @returns a new object; maps and lists of the input may be shared
 * @throws StatusError 400 naming the Go path of the first value of a wrong type; the original also quotes the
 *   bytes around it, which are not known here
 */
export function decodeAs(definition: string, object: KubeObject, issues: DecodeIssues): KubeObject {
  const plan = planOf(definition)
  try {
    return readObject(plan, object, '', issues) as unknown as KubeObject
  } catch (error) {
    if (!(error instanceof WrongType)) throw error
    const kind = plan.typeName.split('.')[1] ?? ''
    const version = plan.typeName.split('.')[0] ?? ''
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${error.message}`)
  }
}

/** The part of an object that a definition describes, such as the template of a workload. */
export function decodePart(definition: string, value: unknown): Json {
  return readObject(planOf(definition), value, '', { unknown: [], duplicate: [] })
}

/** A fault whose message grows by the Go path on its way up. */
class WrongType extends Error {
  within(prefix: string): WrongType {
    return new WrongType(`${prefix}: ${this.message}`)
  }
}

function readObject(plan: Plan, value: unknown, path: string, issues: DecodeIssues): Json {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new WrongType(`readObjectStart: expect { or n, but found ${firstCharacter(value)}`)
  }
  const input = value as Json
  const output: Json = {}
  for (const field of plan.fields) {
    const given = Object.hasOwn(input, field.name) ? input[field.name] : undefined
    const read =
      given === undefined || given === null
        ? absent(field, path, issues)
        : present(plan, field, given, path, issues)
    if (read !== undefined) output[field.name] = read
  }
  for (const name in input) {
    if (!plan.names.has(name)) issues.unknown.push(join(path, name))
  }
  return output
}

function absent(field: Field, path: string, issues: DecodeIssues): unknown {
  if (field.byValue) {
    switch (field.type.is) {
      case 'object':
        return readObject(field.type.plan, {}, join(path, field.name), issues)
      case 'quantity':
        return '0'
      case 'intOrString':
        return 0
      default:
        return null
    }
  }
  if (!field.always) return undefined
  // Where zero differs from absent, a required field is a pointer: null when unset.
  if (field.kept) return null
  switch (field.type.is) {
    case 'string':
      return ''
    case 'boolean':
      return false
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return 0
    case 'quantity':
      return '0'
    default:
      return null
  }
}

function present(plan: Plan, field: Field, value: unknown, path: string, issues: DecodeIssues): unknown {
  let read: unknown
  try {
    read = readValue(field.type, value, path, field.name, issues)
  } catch (error) {
    if (error instanceof WrongType) throw error.within(`${plan.typeName}.${goName(field.name)}`)
    throw error
  }
  if (field.emptyIsNull && (read as unknown[]).length === 0) return null
  if (field.always || field.kept) return read
  return isZero(field.type, read) ? undefined : read
}

function isZero(type: WireType, value: unknown): boolean {
  switch (type.is) {
    case 'array':
      return (value as unknown[]).length === 0
    case 'map': {
      for (const _ in value as Json) return false
      return true
    }
    case 'string':
    case 'bytes':
      return value === ''
    case 'boolean':
      return value === false
    case 'int32':
    case 'int64':
    case 'double':
      return value === 0
    default:
      return false
  }
}

/** @param at the field's name, put behind `path` where something below may need it */
function readValue(
  type: WireType,
  value: unknown,
  path: string,
  at: string | number,
  issues: DecodeIssues,
): unknown {
  switch (type.is) {
    case 'string':
      if (typeof value === 'string') return value
      throw new WrongType(`ReadString: expects " or n, but found ${firstCharacter(value)}`)
    case 'boolean':
      if (typeof value === 'boolean') return value
      throw new WrongType(`ReadBool: expect t or f, but found ${firstCharacter(value)}`)
    case 'int32':
    case 'int64':
      return readInteger(type.is, value)
    case 'double':
      if (typeof value === 'number') return value
      throw new WrongType('readFloat64: unexpected character: \ufffd')
    case 'bytes':
      return readBytes(value)
    case 'time':
    case 'microTime':
      return readTime(type.is, value)
    case 'quantity':
      return readQuantity(value)
    case 'intOrString':
      if (typeof value === 'string' || isInt32(value)) return value
      throw new WrongType(
        `unmarshalerDecoder: json: cannot unmarshal ${typeof value === 'number' ? `number ${value}` : jsonKind(value)} into Go value of type int32`,
      )
    case 'raw':
      return value
    case 'object':
      return readObject(type.plan, value, join(path, at), issues)
    case 'array':
      return readArray(type.of, value, join(path, at), issues)
    case 'map':
      return readMap(type.of, value, join(path, at), issues)
  }
}

function isInt32(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) <= 2147483647 && (value as number) >= -2147483648
}

function readInteger(type: 'int32' | 'int64', value: unknown): number {
  if (typeof value !== 'number') {
    throw new WrongType(`readUint${type.slice(3)}: unexpected character: \ufffd`)
  }
  if (!Number.isInteger(value)) throw new WrongType('assertInteger: can not decode float as int')
  if (type === 'int32' && !isInt32(value)) {
    throw new WrongType('ReadInt32: overflow: ' + Math.abs(value))
  }
  return value
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function readBytes(value: unknown): string {
  if (typeof value !== 'string') {
    throw new WrongType(`ReadString: expects " or n, but found ${firstCharacter(value)}`)
  }
  if (BASE64.test(value)) return value
  // Go's decoder skips line ends.
  const joined = value.replace(/[\r\n]/g, '')
  if (BASE64.test(joined)) return joined
  const bad = /[^A-Za-z0-9+/]/.exec(joined)?.index ?? joined.length - (joined.length % 4)
  throw new WrongType(`decode base64: illegal base64 data at input byte ${bad}`)
}

function readTime(type: 'time' | 'microTime', value: unknown): string {
  if (typeof value !== 'string') {
    throw new WrongType(
      `unmarshalerDecoder: json: cannot unmarshal ${jsonKind(value)} into Go value of type string`,
    )
  }
  const read = type === 'time' ? canonicalTime(value) : canonicalMicroTime(value)
  if (read !== undefined) return read
  const layout = type === 'time' ? '2006-01-02T15:04:05Z07:00' : '2006-01-02T15:04:05.000000Z07:00'
  throw new WrongType(
    `unmarshalerDecoder: parsing time ${JSON.stringify(value)} as ${JSON.stringify(layout)}: cannot parse`,
  )
}

function readQuantity(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : value
  const read = typeof text === 'string' ? canonical(text) : undefined
  if (read !== undefined) return read
  throw new WrongType(
    "unmarshalerDecoder: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  )
}

function readArray(of: WireType, value: unknown, path: string, issues: DecodeIssues): unknown[] {
  if (!Array.isArray(value)) {
    throw new WrongType(`[]${goType(of)}: decode slice: expect [ or n, but found ${firstCharacter(value)}`)
  }
  try {
    return value.map((item, index) =>
      item === null ? zeroOf(of, issues) : readValue(of, item, path, index, issues),
    )
  } catch (error) {
    if (error instanceof WrongType) throw error.within(`[]${goType(of)}`)
    throw error
  }
}

function readMap(of: WireType, value: unknown, path: string, issues: DecodeIssues): Json {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new WrongType(`ReadMapCB: expect { or n, but found ${firstCharacter(value)}`)
  }
  const output: Json = {}
  for (const [key, item] of Object.entries(value)) {
    const read = item === null ? zeroOf(of, issues) : readValue(of, item, path, key, issues)
    // Assigning to __proto__ would change the prototype instead of adding a key.
    if (key === '__proto__') Object.defineProperty(output, key, { value: read, enumerable: true })
    else output[key] = read
  }
  return output
}

/** `null` as an item of a list or map is the zero value of its type. */
function zeroOf(type: WireType, issues: DecodeIssues): unknown {
  return absent(
    { name: '', type, always: true, emptyIsNull: false, kept: false, byValue: type.is === 'object' },
    '',
    issues,
  )
}

function join(path: string, name: string | number): string {
  if (typeof name === 'number') return `${path}[${name}]`
  return path === '' ? name : `${path}.${name}`
}

function firstCharacter(value: unknown): string {
  return JSON.stringify(value)?.[0] ?? ''
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  return typeof value
}

const GO_TYPES: Partial<Record<WireType['is'], string>> = {
  boolean: 'bool',
  double: 'float64',
  time: 'v1.Time',
  microTime: 'v1.MicroTime',
  quantity: 'resource.Quantity',
  intOrString: 'intstr.IntOrString',
  bytes: '[]uint8',
  raw: 'runtime.RawExtension',
}

function goType(type: WireType): string {
  if (type.is === 'object') return type.plan.typeName
  if (type.is === 'array') return `[]${goType(type.of)}`
  if (type.is === 'map') return `map[string]${goType(type.of)}`
  return GO_TYPES[type.is] ?? type.is
}

const INITIALISMS = /^(?:api|uid|url|uri|ip|dns|http|tcp|fs|gce|aws|iscsi|rbd|csi|nfs|fc|id|cidr)(?=[A-Z]|$)/

/** The Go name of a JSON field: `httpGet` is `HTTPGet`, `metadata` is the embedded `ObjectMeta`. */
function goName(field: string): string {
  if (field === 'metadata') return 'ObjectMeta'
  const initialism = INITIALISMS.exec(field)?.[0]
  if (initialism !== undefined) return initialism.toUpperCase() + field.slice(initialism.length)
  return field.charAt(0).toUpperCase() + field.slice(1)
}
