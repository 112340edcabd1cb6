/** Schemas: the definitions of built-in kinds and the structural schemas of custom ones. */
export { type Definition, Definitions } from './openapi.js'
export {
  DEDUCED,
  type DeducedType,
  listOf,
  type ListType,
  mapOf,
  type MapType,
  OBJECT_META,
  SCALAR,
  type ScalarType,
  struct,
  type TypeSchema,
} from './typed.js'
export { checkStructural, compileSchema, type CompiledSchema, type JsonSchema } from './structural/index.js'
