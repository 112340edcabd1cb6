/** Merge keys and strategies of built-in kinds, read from the published OpenAPI definitions. */
import { type PatchField, type PatchSchema, type PatchStrategy } from '../../apimachinery/patch/index.js'

/** What is read of an OpenAPI v2 definition. */
export interface PublishedSchema {
  $ref?: string
  items?: PublishedSchema
  additionalProperties?: PublishedSchema
  properties?: Readonly<Record<string, PublishedSchema>>
  'x-kubernetes-patch-merge-key'?: string
  'x-kubernetes-patch-strategy'?: string
}

export type Definitions = Readonly<Record<string, PublishedSchema>>

const REF = '#/definitions/'

/** One lookup for a set of definitions; each is compiled once, when first walked through. */
export function patchSchemas(definitions: Definitions): (name: string) => PatchSchema | undefined {
  const known = new Map<string, PatchSchema>()

  function named(name: string): PatchSchema | undefined {
    const found = known.get(name)
    const definition = definitions[name]
    if (found || !definition) return found
    const schema = compile(definition)
    known.set(name, schema)
    return schema
  }

  function childOf(node: PublishedSchema): PatchSchema | undefined {
    const inner = node.items ?? node.additionalProperties ?? node
    if (inner.$ref?.startsWith(REF)) return named(inner.$ref.slice(REF.length))
    return inner.properties ? compile(inner) : undefined
  }

  function compile({ properties = {} }: PublishedSchema): PatchSchema {
    const fields = new Map<string, PatchField>()
    return {
      field(name) {
        const found = fields.get(name)
        const node = Object.hasOwn(properties, name) ? properties[name] : undefined
        if (found || !node) return found
        const mergeKey = node['x-kubernetes-patch-merge-key']
        const strategies = (node['x-kubernetes-patch-strategy'] ?? '').split(',').filter(Boolean)
        const child = childOf(node)
        const field: PatchField = {
          strategies: strategies as PatchStrategy[],
          ...(mergeKey !== undefined && { mergeKey }),
          ...(child && { child }),
        }
        fields.set(name, field)
        return field
      },
    }
  }

  return named
}
