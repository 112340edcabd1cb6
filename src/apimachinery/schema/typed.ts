/**
 * What server-side apply must know of a type: which maps and lists are owned part by part, which as a whole.
 *
 * Built from OpenAPI definitions (openapi.ts) or from the structural schema of a CRD (structural/typed.ts).
 */

export type TypeSchema = ScalarType | MapType | ListType | DeducedType

/** Owned as a whole; also maps and lists of unknown content. */
export interface ScalarType {
  kind: 'scalar'
}

/** Shape unknown: maps are owned key by key, lists as a whole, as the value turns out to be. */
export interface DeducedType {
  kind: 'deduced'
}

export interface MapType {
  kind: 'map'
  atomic: boolean
  /** Type of a declared field. */
  field(name: string): TypeSchema | undefined
  /** Type of the values of all other keys; undefined when there may be none. */
  values?: TypeSchema | undefined
}

export interface ListType {
  kind: 'list'
  type: 'atomic' | 'set' | 'map'
  /** Fields that tell items apart, for `map`; sorted. */
  keys: readonly string[]
  /** Values of keys that items may leave out. */
  keyDefaults: Readonly<Record<string, unknown>>
  items: TypeSchema
}

export const SCALAR: ScalarType = { kind: 'scalar' }
export const DEDUCED: DeducedType = { kind: 'deduced' }

export function struct(fields: Readonly<Record<string, TypeSchema>>): MapType {
  return {
    kind: 'map',
    atomic: false,
    field: (name) => (Object.hasOwn(fields, name) ? fields[name] : undefined),
  }
}

export function mapOf(values: TypeSchema, atomic = false): MapType {
  return { kind: 'map', atomic, field: () => undefined, values }
}

export function listOf(
  items: TypeSchema,
  type: ListType['type'] = 'atomic',
  keys: readonly string[] = [],
  keyDefaults: Readonly<Record<string, unknown>> = {},
): ListType {
  return { kind: 'list', type, keys: [...keys].sort(), keyDefaults, items }
}

/** ObjectMeta, for kinds whose schema does not spell it out. */
export const OBJECT_META: MapType = struct({
  ...Object.fromEntries(
    [
      'name',
      'generateName',
      'namespace',
      'selfLink',
      'uid',
      'resourceVersion',
      'generation',
      'creationTimestamp',
      'deletionTimestamp',
      'deletionGracePeriodSeconds',
      'clusterName',
    ].map((name) => [name, SCALAR]),
  ),
  labels: mapOf(SCALAR),
  annotations: mapOf(SCALAR),
  finalizers: listOf(SCALAR, 'set'),
  ownerReferences: listOf(
    struct(
      Object.fromEntries(
        ['apiVersion', 'kind', 'name', 'uid', 'controller', 'blockOwnerDeletion'].map((name) => [
          name,
          SCALAR,
        ]),
      ),
    ),
    'map',
    ['uid'],
  ),
  managedFields: listOf(DEDUCED),
})
