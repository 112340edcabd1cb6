/** The JSON schema of a CRD, as `openAPIV3Schema` holds it. */
export interface JsonSchema {
  type?: string
  format?: string
  title?: string
  description?: string
  default?: unknown
  example?: unknown
  nullable?: boolean
  properties?: Readonly<Record<string, JsonSchema>>
  additionalProperties?: JsonSchema | boolean
  items?: JsonSchema
  required?: readonly string[]
  enum?: readonly unknown[]
  minimum?: number
  maximum?: number
  exclusiveMinimum?: boolean
  exclusiveMaximum?: boolean
  multipleOf?: number
  minLength?: number
  maxLength?: number
  pattern?: string
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
  minProperties?: number
  maxProperties?: number
  allOf?: readonly JsonSchema[]
  anyOf?: readonly JsonSchema[]
  oneOf?: readonly JsonSchema[]
  not?: JsonSchema
  'x-kubernetes-preserve-unknown-fields'?: boolean
  'x-kubernetes-embedded-resource'?: boolean
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-list-type'?: string
  'x-kubernetes-list-map-keys'?: readonly string[]
  'x-kubernetes-map-type'?: string
  'x-kubernetes-validations'?: readonly unknown[]
}

/** The schema of all other keys, or whether there may be any of unknown shape. */
export function valueSchema(schema: JsonSchema): JsonSchema | undefined {
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
}

/** The schema of one declared property. */
export function property(schema: JsonSchema | undefined, name: string): JsonSchema | undefined {
  const properties = schema?.properties
  return properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined
}
