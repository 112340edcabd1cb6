/**
 * Writes JSON Schemas whose static types are those of `typebox`, and nothing else of it: the library is 370 modules,
 * of which a server that only declares schemas would hold 18 MB for as long as it lives.
 */
import type { Static, TSchema, Type as Library } from 'typebox'

export type { Static, TSchema }

type Json = Record<string, unknown>
type Builder = Pick<
  typeof Library,
  | 'Array'
  | 'Boolean'
  | 'Integer'
  | 'Literal'
  | 'Null'
  | 'Number'
  | 'Object'
  | 'Optional'
  | 'Record'
  | 'String'
  | 'Union'
  | 'Unknown'
  | 'Unsafe'
>

/** Not enumerable, so that it is no part of the schema that others read. */
const OPTIONAL = '~optional'

const schema = (own: Json, options: Json = {}): Json => ({ ...own, ...options })
const simple =
  (type: string) =>
  (options?: Json): Json =>
    schema({ type }, options)

function object(properties: Record<string, Json>, options?: Json): Json {
  const required = Object.keys(properties).filter((key) => !(OPTIONAL in (properties[key] ?? {})))
  return schema({ type: 'object', ...(required.length > 0 && { required }), properties }, options)
}

function optional(own: Json): Json {
  return Object.defineProperty({ ...own }, OPTIONAL, { value: true, enumerable: false })
}

/** The names of the library, so that a schema reads the same. */
export const Type = {
  Array: (items: Json, options?: Json) => schema({ type: 'array', items }, options),
  Boolean: simple('boolean'),
  Integer: simple('integer'),
  Literal: (value: unknown, options?: Json) => schema({ type: typeof value, const: value }, options),
  Null: simple('null'),
  Number: simple('number'),
  Object: object,
  Optional: optional,
  /** Keys are any text. */
  Record: (_key: Json, value: Json, options?: Json) =>
    schema({ type: 'object', patternProperties: { '^.*$': value } }, options),
  String: simple('string'),
  Union: (anyOf: Json[], options?: Json) => schema({ anyOf }, options),
  Unknown: (options?: Json) => schema({}, options),
  Unsafe: (own: Json) => own,
} as unknown as Builder
