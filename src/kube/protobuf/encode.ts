/** From the JSON form of an object to its message. What is absent, null or no value of its type is left out. */
import { BYTES, FIXED64, type ProtobufWriter, VARINT } from '../../apimachinery/protobuf/index.js'
import { isObject, type JsonObject, own } from '../../apimachinery/json/value.js'
import { type Field, type Plan, type ValueType } from './plan.js'

export function encodeMessage(writer: ProtobufWriter, plan: Plan, value: JsonObject): void {
  for (const field of plan.fields) {
    if (field.inline) {
      encodeInline(writer, field, value)
      continue
    }
    const given = own(value, field.name)
    if (given === undefined || given === null) continue
    if (field.map) encodeMap(writer, field, given)
    else if (field.repeated) {
      if (Array.isArray(given)) for (const item of given) encodeField(writer, field.number, field.type, item)
    } else encodeField(writer, field.number, field.type, given)
  }
}

/** A message that JSON does not show is there when one of its fields is. */
function encodeInline(writer: ProtobufWriter, { number, type }: Field, value: JsonObject): void {
  if (type.is !== 'message' || !isPresent(type.plan, value)) return
  writer.tag(number, BYTES)
  writer.nested(() => encodeMessage(writer, type.plan, value))
}

function isPresent(plan: Plan, value: JsonObject): boolean {
  return plan.fields.some((field) =>
    field.inline && field.type.is === 'message'
      ? isPresent(field.type.plan, value)
      : own(value, field.name) !== undefined && own(value, field.name) !== null,
  )
}

function encodeMap(writer: ProtobufWriter, { number, type }: Field, given: unknown): void {
  if (!isObject(given)) return
  for (const [key, item] of Object.entries(given)) {
    writer.tag(number, BYTES)
    writer.nested(() => {
      writer.tag(1, BYTES)
      writer.text(key)
      if (item !== null) encodeField(writer, 2, type, item)
    })
  }
}

function encodeField(writer: ProtobufWriter, number: number, type: ValueType, value: unknown): void {
  switch (type.is) {
    case 'string':
      if (typeof value !== 'string') return
      writer.tag(number, BYTES)
      return writer.text(value)
    case 'bool':
      writer.tag(number, VARINT)
      return writer.integer(value === true ? 1 : 0)
    case 'integer':
      writer.tag(number, VARINT)
      return writer.integer(Math.trunc(Number(value)) || 0)
    case 'double':
      writer.tag(number, FIXED64)
      return writer.double(Number(value))
    case 'bytes':
      writer.tag(number, BYTES)
      return writer.chunk(Buffer.from(String(value), 'base64'))
    default:
      writer.tag(number, BYTES)
      writer.nested(() => encodeNested(writer, type, value))
  }
}

function encodeNested(writer: ProtobufWriter, type: ValueType, value: unknown): void {
  switch (type.is) {
    case 'message':
      if (isObject(value)) encodeMessage(writer, type.plan, value)
      return
    case 'quantity':
      return encodeField(writer, 1, { is: 'string' }, String(value))
    case 'intOrString':
      if (typeof value === 'string') {
        encodeField(writer, 1, { is: 'integer' }, 1)
        return encodeField(writer, 3, { is: 'string' }, value)
      }
      return encodeField(writer, 2, { is: 'integer' }, value)
    case 'time':
    case 'microTime':
      return encodeTime(writer, String(value))
    case 'rawJson':
      return encodeField(writer, 1, { is: 'bytes' }, Buffer.from(JSON.stringify(value)).toString('base64'))
    case 'strings':
      if (Array.isArray(value)) for (const each of value) encodeField(writer, 1, { is: 'string' }, each)
      return
    case 'schemaOrBool':
      encodeField(writer, 1, { is: 'bool' }, value !== false)
      return encodeSchema(writer, 2, type.plan, value)
    case 'schemaOrArray':
      if (!Array.isArray(value)) return encodeSchema(writer, 1, type.plan, value)
      return value.forEach((each) => encodeSchema(writer, 2, type.plan, each))
    case 'schemaOrStrings':
      if (!Array.isArray(value)) return encodeSchema(writer, 1, type.plan, value)
      return value.forEach((each) => encodeField(writer, 2, { is: 'string' }, each))
  }
}

function encodeSchema(writer: ProtobufWriter, number: number, plan: Plan | undefined, value: unknown): void {
  if (plan && isObject(value)) encodeField(writer, number, { is: 'message', plan }, value)
}

function encodeTime(writer: ProtobufWriter, text: string): void {
  const at = Date.parse(text)
  if (Number.isNaN(at)) return
  const seconds = Math.floor(at / 1000)
  const fraction = /\.(\d{1,9})/.exec(text)?.[1] ?? ''
  encodeField(writer, 1, { is: 'integer' }, seconds)
  if (fraction !== '') encodeField(writer, 2, { is: 'integer' }, Number(fraction.padEnd(9, '0')))
}
