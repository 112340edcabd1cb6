/**
 * `metadata.managedFields`: keeps who owns which field of an object, for every write.
 *
 * The rules are those of apimachinery/fieldmanager; here is where a kind's types come from, and which parts of an
 * object a request can own at all.
 */
import { applyPatch, trackUpdate } from '../../apimachinery/fieldmanager/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Definitions, type TypeSchema } from '../../apimachinery/schema/index.js'
import { resourceType } from '../../apimachinery/schema/structural/typed.js'
import { served } from './served.js'
import { type ResourceDefinition } from './strategy.js'
import { type FieldTracker } from './writeoptions.js'

interface Known {
  schema: TypeSchema
  /** The kind's object with nothing set. */
  empty: Readonly<KubeObject>
}

export function fieldTracker(definitions: Definitions): FieldTracker {
  const known = new WeakMap<ResourceDefinition, Known>()
  const about = (definition: ResourceDefinition): Known => {
    let found = known.get(definition)
    if (!found) {
      found = { schema: typeOf(definitions, definition), empty: emptyOf(definition) }
      known.set(definition, found)
    }
    return found
  }

  return {
    update(definition, previous, object, { manager, subresource, time }) {
      return trackUpdate({
        ...about(definition),
        live: previous,
        next: object,
        manager,
        apiVersion: served(definition).apiVersion,
        subresource,
        now: time,
      })
    },

    apply(definition, previous, applied, { manager, subresource, time, force }) {
      const { object } = applyPatch({
        ...about(definition),
        live: previous,
        applied: ownable(definition, applied, subresource),
        manager,
        force,
        apiVersion: served(definition).apiVersion,
        subresource,
        now: time,
      })
      return object
    },
  }
}

function typeOf(definitions: Definitions, { strategy }: ResourceDefinition): TypeSchema {
  const { schema } = strategy
  if ('builtin' in schema) return definitions.typeSchema(schema.builtin)
  if (!schema.structural || !schema.preserveUnknownFields) return resourceType(schema.structural)
  return resourceType({ ...schema.structural, 'x-kubernetes-preserve-unknown-fields': true })
}

function emptyOf({ kind, custom, strategy, ...definition }: ResourceDefinition): KubeObject {
  const bare: KubeObject = { apiVersion: definition.version, kind, metadata: {} }
  return custom ? bare : strategy.decode(bare, { unknown: [], duplicate: [] })
}

/** Without the parts that belong to the other path of a kind with `/status`. */
function ownable({ strategy }: ResourceDefinition, applied: KubeObject, subresource: string): KubeObject {
  if (!strategy.statusSubresource) return applied
  const { status, ...rest } = applied
  if (subresource === '') return rest
  if (subresource !== 'status') return applied
  const { apiVersion, kind, metadata } = applied
  const { name, namespace } = metadata
  return {
    ...(apiVersion !== undefined && { apiVersion }),
    ...(kind !== undefined && { kind }),
    metadata: { ...(name !== undefined && { name }), ...(namespace !== undefined && { namespace }) },
    ...(status !== undefined && { status }),
  }
}
