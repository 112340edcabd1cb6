/**
 * Reads OpenAPI v2 definitions of the built-in kinds: where strategic patches merge, and what server-side apply
 * owns part by part. Both are made on demand and kept, so walking costs a map look-up per field.
 */
import { type PatchField, type PatchSchema, type PatchStrategy } from '../patch/strategic.js'
import { DEDUCED, listOf, mapOf, SCALAR, type TypeSchema } from './typed.js'

/** One property or definition. */
export interface Definition {
  type?: string
  format?: string
  $ref?: string
  items?: Definition
  properties?: Readonly<Record<string, Definition>>
  additionalProperties?: Definition
  required?: readonly string[]
  'x-kubernetes-patch-merge-key'?: string
  'x-kubernetes-patch-strategy'?: string
  'x-kubernetes-list-type'?: string
  'x-kubernetes-list-map-keys'?: readonly string[]
  'x-kubernetes-map-type'?: string
}

/** Defaults of list keys, which the published schema of 1.20 holds and the recording left out. */
const KEY_DEFAULTS: Readonly<Record<string, unknown>> = { protocol: 'TCP' }

export class Definitions {
  readonly #patches = new Map<Definition, PatchSchema>()
  readonly #types = new Map<Definition, TypeSchema>()

  constructor(private readonly definitions: Readonly<Record<string, Definition>>) {}

  /**
   * @param name `io.k8s.api.core.v1.Pod`
   * @throws Error when there is no such definition
   */
  patchSchema(name: string): PatchSchema {
    return this.#patch(this.#named(name))
  }

  /** @throws Error when there is no such definition */
  typeSchema(name: string): TypeSchema {
    return this.#type(this.#named(name))
  }

  #named(name: string): Definition {
    const definition = this.definitions[name]
    if (definition === undefined) throw new Error(`the schema has no definition ${name}`)
    return definition
  }

  /** Follows a reference; extensions beside `$ref` stay with the property. */
  #resolve(definition: Definition): Definition {
    const reference = definition.$ref
    return reference === undefined ? definition : this.#named(reference.slice('#/definitions/'.length))
  }

  #patch(definition: Definition): PatchSchema {
    const known = this.#patches.get(definition)
    if (known !== undefined) return known
    const { properties, additionalProperties } = definition
    const fields = new Map<string, PatchField>()
    const schema: PatchSchema = {
      field: (name) => {
        const property =
          properties !== undefined && Object.hasOwn(properties, name)
            ? properties[name]
            : additionalProperties
        if (property === undefined) return undefined
        const field = fields.get(name) ?? this.#patchField(property)
        if (property !== additionalProperties) fields.set(name, field)
        return field
      },
    }
    this.#patches.set(definition, schema)
    return schema
  }

  #patchField(property: Definition): PatchField {
    const mergeKey = property['x-kubernetes-patch-merge-key']
    const strategy = property['x-kubernetes-patch-strategy']
    const resolved = this.#resolve(property)
    return {
      ...(mergeKey !== undefined && { mergeKey }),
      strategies: strategy === undefined ? [] : (strategy.split(',') as PatchStrategy[]),
      child: this.#patch(resolved.items === undefined ? resolved : this.#resolve(resolved.items)),
    }
  }

  #type(definition: Definition): TypeSchema {
    const known = this.#types.get(definition)
    if (known !== undefined) return known
    const type = this.#makeType(definition)
    this.#types.set(definition, type)
    return type
  }

  #makeType(property: Definition): TypeSchema {
    const definition = this.#resolve(property)
    if (definition.items !== undefined) return this.#listType(property, definition.items)
    const atomic = (property['x-kubernetes-map-type'] ?? definition['x-kubernetes-map-type']) === 'atomic'
    const { properties, additionalProperties } = definition
    if (properties !== undefined) {
      return {
        kind: 'map',
        atomic,
        field: (name) => {
          const field = Object.hasOwn(properties, name) ? properties[name] : undefined
          return field && this.#type(field)
        },
      }
    }
    if (additionalProperties !== undefined) return mapOf(this.#type(additionalProperties), atomic)
    if (definition.type === 'object') return mapOf(SCALAR)
    return definition.type === undefined ? DEDUCED : SCALAR
  }

  /** A list without a list type is owned item by item where a patch strategy merges it. */
  #listType(property: Definition, items: Definition): TypeSchema {
    const item = this.#type(items)
    const mergeKey = property['x-kubernetes-patch-merge-key']
    switch (property['x-kubernetes-list-type']) {
      case 'map': {
        const keys = property['x-kubernetes-list-map-keys'] ?? []
        return listOf(item, 'map', keys, KEY_DEFAULTS)
      }
      case 'set':
        return listOf(item, 'set')
      case 'atomic':
        return listOf(item)
    }
    if (!property['x-kubernetes-patch-strategy']?.split(',').includes('merge')) return listOf(item)
    return mergeKey === undefined ? listOf(item, 'set') : listOf(item, 'map', [mergeKey], KEY_DEFAULTS)
  }
}
