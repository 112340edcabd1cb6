/**
 * The OpenAPI v2 document as the protobuf message of its published description (openapi.v2.Document), which kubectl up
 * to 1.23 and other clients ask for and take nothing else. Numbers of fields are those of that description.
 */
import { isObject, type JsonObject } from '../../../apimachinery/json/value.js'
import { BYTES, FIXED64, ProtobufWriter, VARINT } from '../../../apimachinery/protobuf/index.js'

/** What older clients ask for, and what later ones do: the @ of the first may not stand in a media type. */
export const OPENAPI_PROTOBUF: readonly string[] = [
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
  'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
]

/** How a field of JSON is written. */
type Field = readonly [
  number: number,
  write: (writer: ProtobufWriter, number: number, value: unknown) => void,
]
type Message = Readonly<Record<string, Field>>

const text: Field[1] = (writer, number, value) => {
  writer.tag(number, BYTES)
  writer.text(String(value))
}
const flag: Field[1] = (writer, number, value) => {
  writer.tag(number, VARINT)
  writer.integer(value === true ? 1 : 0)
}
const count: Field[1] = (writer, number, value) => {
  writer.tag(number, VARINT)
  writer.integer(Number(value))
}
const real: Field[1] = (writer, number, value) => {
  writer.tag(number, FIXED64)
  writer.double(Number(value))
}
const each =
  (write: Field[1]): Field[1] =>
  (writer, number, value) => {
    for (const item of Array.isArray(value) ? (value as unknown[]) : []) write(writer, number, item)
  }
/** A message whose fields `write` writes. */
const nested =
  (write: (writer: ProtobufWriter, value: unknown) => void): Field[1] =>
  (writer, number, value) => {
    writer.tag(number, BYTES)
    writer.nested(() => write(writer, value))
  }
/** A map, as a list of names with values. */
const named =
  (message: () => Message): Field[1] =>
  (writer, number, value) => {
    for (const [name, item] of Object.entries(isObject(value) ? value : {})) {
      writer.tag(number, BYTES)
      writer.nested(() => {
        text(writer, 1, name)
        nested((inner, it) => object(inner, message(), it))(writer, 2, item)
      })
    }
  }
const of =
  (message: () => Message): Field[1] =>
  (writer, number, value) =>
    nested((inner, it) => object(inner, message(), it))(writer, number, value)

/** YAML, of which JSON is a part. */
const any: Field[1] = nested((writer, value) => text(writer, 2, JSON.stringify(value)))

/** The fields that the message has, and `x-...` where it has a place for that. */
function object(writer: ProtobufWriter, message: Message, value: unknown): void {
  if (!isObject(value)) return
  for (const [name, [number, write]] of Object.entries(message)) {
    if (name !== EXTENSIONS && value[name] !== undefined) write(writer, number, value[name])
  }
  const extensions = message[EXTENSIONS]
  if (!extensions) return
  for (const [name, each] of Object.entries(value)) {
    if (name.startsWith('x-')) extensions[1](writer, extensions[0], [name, each])
  }
}

const EXTENSIONS = 'x-'
const extension: Field[1] = nested((writer, value) => {
  const [name, content] = value as [string, unknown]
  text(writer, 1, name)
  any(writer, 2, content)
})

const SCHEMA: Message = {
  $ref: [1, text],
  format: [2, text],
  title: [3, text],
  description: [4, text],
  default: [5, any],
  multipleOf: [6, real],
  maximum: [7, real],
  exclusiveMaximum: [8, flag],
  minimum: [9, real],
  exclusiveMinimum: [10, flag],
  maxLength: [11, count],
  minLength: [12, count],
  pattern: [13, text],
  maxItems: [14, count],
  minItems: [15, count],
  uniqueItems: [16, flag],
  maxProperties: [17, count],
  minProperties: [18, count],
  required: [19, each(text)],
  enum: [20, each(any)],
  additionalProperties: [
    21,
    nested((writer, value) => {
      if (isObject(value)) of(() => SCHEMA)(writer, 1, value)
      else flag(writer, 2, value)
    }),
  ],
  type: [22, nested((writer, value) => each(text)(writer, 1, [value].flat()))],
  items: [23, nested((writer, value) => of(() => SCHEMA)(writer, 1, value))],
  allOf: [24, each(of(() => SCHEMA))],
  properties: [25, nested((writer, value) => named(() => SCHEMA)(writer, 1, value))],
  [EXTENSIONS]: [31, extension],
}

const BODY: Message = {
  description: [1, text],
  name: [2, text],
  in: [3, text],
  required: [4, flag],
  schema: [5, of(() => SCHEMA)],
}
const QUERY: Message = {
  required: [1, flag],
  in: [2, text],
  description: [3, text],
  name: [4, text],
  type: [6, text],
  format: [7, text],
}
const PATH: Message = {
  required: [1, flag],
  in: [2, text],
  description: [3, text],
  name: [4, text],
  type: [5, text],
  format: [6, text],
}

const parameter: Field[1] = nested((writer, value) => {
  const where = (value as JsonObject)['in']
  nested((inner) => {
    if (where === 'body') return of(() => BODY)(inner, 1, value)
    const isQuery = where === 'query'
    nested((deep) => of(() => (isQuery ? QUERY : PATH))(deep, isQuery ? 3 : 4, value))(inner, 2, value)
  })(writer, 1, value)
})

const RESPONSE: Message = {
  description: [1, text],
  schema: [2, nested((writer, value) => of(() => SCHEMA)(writer, 1, value))],
}
/** A response by its code: a value, which is a response or a reference. */
const responses: Field[1] = nested((writer, value) => {
  for (const [code, response] of Object.entries(isObject(value) ? value : {})) {
    nested((inner) => {
      text(inner, 1, code)
      nested((deep) => of(() => RESPONSE)(deep, 1, response))(inner, 2, response)
    })(writer, 1, response)
  }
})

const OPERATION: Message = {
  tags: [1, each(text)],
  summary: [2, text],
  description: [3, text],
  operationId: [5, text],
  produces: [6, each(text)],
  consumes: [7, each(text)],
  parameters: [8, each(parameter)],
  responses: [9, responses],
  schemes: [10, each(text)],
  deprecated: [11, flag],
  [EXTENSIONS]: [13, extension],
}
const PATH_ITEM: Message = {
  get: [2, of(() => OPERATION)],
  put: [3, of(() => OPERATION)],
  post: [4, of(() => OPERATION)],
  delete: [5, of(() => OPERATION)],
  options: [6, of(() => OPERATION)],
  head: [7, of(() => OPERATION)],
  patch: [8, of(() => OPERATION)],
  parameters: [9, each(parameter)],
}
const DOCUMENT: Message = {
  swagger: [1, text],
  info: [2, of(() => ({ title: [1, text], version: [2, text] }))],
  paths: [8, nested((writer, value) => named(() => PATH_ITEM)(writer, 2, value))],
  definitions: [9, nested((writer, value) => named(() => SCHEMA)(writer, 1, value))],
}

export function openApiProtobuf(document: unknown): Buffer {
  const writer = new ProtobufWriter()
  object(writer, DOCUMENT, document)
  return writer.finish()
}
