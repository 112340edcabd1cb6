/**
 * From a message to the JSON form. What the message holds without need (zeros, empty strings) comes along; the decoder
 * of the kind drops it, as it does for JSON.
 */
import {
  BYTES,
  FIXED64,
  MalformedProtobuf,
  ProtobufReader,
  VARINT,
} from '../../apimachinery/protobuf/index.js'
import { type JsonObject, own, setOwn } from '../../apimachinery/json/value.js'
import { type Field, type Plan, type ValueType } from './plan.js'

/** Schemas of custom resources are the deepest there is; nothing sensible is half as deep. */
const DEPTH_LIMIT = 200

/** @throws MalformedProtobuf */
export function decodeMessage(bytes: Uint8Array, plan: Plan, into: JsonObject = {}, depth = 0): JsonObject {
  if (depth > DEPTH_LIMIT) throw new MalformedProtobuf('nested too deeply')
  const reader = new ProtobufReader(bytes)
  while (!reader.done) {
    const { field: number, wireType } = reader.tag()
    const field = plan.byNumber.get(number)
    if (!field) {
      reader.skip(wireType)
      continue
    }
    const wanted = field.map ? BYTES : wireTypeOf(field.type)
    if (wireType !== wanted) {
      throw new MalformedProtobuf(`wrong wireType = ${wireType} for field ${field.name}`)
    }
    if (field.inline && field.type.is === 'message')
      decodeMessage(reader.chunk(), field.type.plan, into, depth + 1)
    else if (field.map) decodeEntry(reader.chunk(), field, into, depth)
    else if (field.repeated) {
      const list = own(into, field.name) as unknown[] | undefined
      const item = readValue(reader, field.type, depth)
      if (list) list.push(item)
      else setOwn(into, field.name, [item])
    } else setOwn(into, field.name, readValue(reader, field.type, depth))
  }
  return into
}

function wireTypeOf({ is }: ValueType): number {
  return is === 'bool' || is === 'integer' ? VARINT : is === 'double' ? FIXED64 : BYTES
}

const EMPTY: Partial<Record<ValueType['is'], unknown>> = {
  string: '',
  bytes: '',
  integer: 0,
  bool: false,
  double: 0,
}

function decodeEntry(bytes: Uint8Array, { name, type }: Field, into: JsonObject, depth: number): void {
  const reader = new ProtobufReader(bytes)
  let key = ''
  let value: unknown = EMPTY[type.is] ?? null
  while (!reader.done) {
    const { field, wireType } = reader.tag()
    if (field === 1 && wireType === BYTES) key = reader.text()
    else if (field === 2 && wireType === wireTypeOf(type)) value = readValue(reader, type, depth)
    else reader.skip(wireType)
  }
  let map = own(into, name) as JsonObject | undefined
  if (!map) setOwn(into, name, (map = {}))
  setOwn(map, key, value)
}

function readValue(reader: ProtobufReader, type: ValueType, depth: number): unknown {
  switch (type.is) {
    case 'string':
      return reader.text()
    case 'bool':
      return reader.integer() !== 0
    case 'integer':
      return reader.integer()
    case 'double':
      return reader.double()
    case 'bytes':
      return base64(reader.chunk())
    case 'message':
      return decodeMessage(reader.chunk(), type.plan, {}, depth + 1)
    default:
      return readSpecial(reader.chunk(), type, depth)
  }
}

function readSpecial(bytes: Uint8Array, type: ValueType, depth: number): unknown {
  const parts = partsOf(bytes)
  const first = (number: number): unknown => parts.find(([field]) => field === number)?.[1]
  const text = (value: unknown): string => (value instanceof Uint8Array ? utf8(value) : '')
  const schema = (value: unknown): JsonObject => {
    if (!('plan' in type) || !type.plan) throw new MalformedProtobuf('no message for a schema')
    return decodeMessage(value instanceof Uint8Array ? value : new Uint8Array(), type.plan, {}, depth + 1)
  }
  switch (type.is) {
    case 'quantity':
      return text(first(1)) || '0'
    case 'intOrString':
      return first(1) === 1 ? text(first(3)) : (first(2) ?? 0)
    case 'time':
    case 'microTime':
      return timeText(first(1), first(2), type.is)
    case 'rawJson':
      return rawJson(first(1))
    case 'strings':
      return parts.filter(([field]) => field === 1).map(([, value]) => text(value))
    case 'schemaOrBool':
      return first(2) === undefined ? first(1) === 1 : schema(first(2))
    case 'schemaOrArray':
      return first(1) === undefined
        ? parts.filter(([field]) => field === 2).map(([, value]) => schema(value))
        : schema(first(1))
    case 'schemaOrStrings':
      return first(1) === undefined
        ? parts.filter(([field]) => field === 2).map(([, value]) => text(value))
        : schema(first(1))
    default:
      return undefined
  }
}

/** The fields of a small message, integers as numbers and the rest as bytes. */
function partsOf(bytes: Uint8Array): [number, number | Uint8Array][] {
  const reader = new ProtobufReader(bytes)
  const parts: [number, number | Uint8Array][] = []
  while (!reader.done) {
    const { field, wireType } = reader.tag()
    if (wireType === VARINT) parts.push([field, reader.integer()])
    else if (wireType === BYTES) parts.push([field, reader.chunk()])
    else reader.skip(wireType)
  }
  return parts
}

/** The beginning of time as Go counts it is written as nothing. */
function timeText(seconds: unknown, nanos: unknown, type: 'time' | 'microTime'): string | null {
  const [whole, rest] = [Number(seconds ?? 0), Number(nanos ?? 0)]
  if (whole === 0 && rest === 0) return null
  const date = new Date(whole * 1000)
  if (Number.isNaN(date.getTime())) throw new MalformedProtobuf('time out of range')
  const text = date.toISOString().slice(0, 19)
  return type === 'time' ? `${text}Z` : `${text}.${String(Math.floor(rest / 1000)).padStart(6, '0')}Z`
}

function rawJson(value: unknown): unknown {
  if (!(value instanceof Uint8Array) || value.length === 0) return null
  try {
    return JSON.parse(utf8(value))
  } catch (error) {
    throw new MalformedProtobuf(`an embedded value is no JSON: ${(error as Error).message}`, { cause: error })
  }
}

function view({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length)
}

const utf8 = (bytes: Uint8Array): string => view(bytes).toString('utf8')
const base64 = (bytes: Uint8Array): string => view(bytes).toString('base64')
