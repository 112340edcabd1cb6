/**
 * A definition of the schema prepared for decoding: fields in the order they are written, each with its
 * type and what to do when it is absent. Made once per definition, when first met.
 */
import { definitions, type SchemaNode } from '../data.js'
import { ALWAYS, BY_VALUE, KEPT } from './shapes.js'

export type WireType =
  | { is: 'string' | 'boolean' | 'int32' | 'int64' | 'double' | 'bytes' }
  | { is: 'time' | 'microTime' | 'quantity' | 'intOrString' | 'raw' }
  | { is: 'object'; plan: Plan }
  | { is: 'array'; of: WireType }
  | { is: 'map'; of: WireType }

export interface Field {
  name: string
  type: WireType
  /** Written even when unset: zero for scalars, null for what is held by reference. */
  always: boolean
  /** Zero differs from absent. */
  kept: boolean
  /** An empty list reads as `null`, which is what the storage of the original makes of it. */
  emptyIsNull: boolean
  /** A struct held by value: decoded from nothing when absent. */
  byValue: boolean
}

export interface Plan {
  /** `v1.PodSpec`, as error texts name the type. */
  typeName: string
  fields: readonly Field[]
  names: ReadonlySet<string>
}

const plans = new Map<string, Plan>()

/** @param name a key of the schema's definitions, `io.k8s.api.core.v1.Pod` */
export function planOf(name: string): Plan {
  const known = plans.get(name)
  if (known !== undefined) return known
  const node = definitions()[name]
  if (node === undefined) throw new Error(`the schema has no definition ${name}`)
  return makePlan(name, node)
}

function makePlan(name: string, node: SchemaNode): Plan {
  const fields: Field[] = []
  const names = new Set(Object.keys(node.properties ?? {}))
  const plan: Plan = { typeName: typeNameOf(name), fields, names }
  // Known before its fields are made: JSONSchemaProps refers to itself.
  plans.set(name, plan)

  const key = shapeKey(name)
  const kept = words(KEPT[key])
  const byValue = words(BY_VALUE[key])
  const always = words(ALWAYS[key])
  const isKind = names.has('kind') && names.has('apiVersion')
  const isList = isKind && names.has('items')
  const isCondition = key.endsWith('Condition')
  for (const [field, property] of Object.entries(node.properties ?? {})) {
    const type = typeOf(property)
    const heldByValue =
      byValue.has(field) ||
      (isKind && (field === 'metadata' || field === 'spec' || field === 'status')) ||
      (isCondition && type.is === 'time') ||
      (type.is === 'object' &&
        (node.required?.includes(field) ?? false) &&
        !REFERENCED.has(`${key}.${field}`))
    const isAlways = always.has(field) || (node.required?.includes(field) ?? false)
    fields.push({
      name: field,
      type,
      always: isAlways,
      emptyIsNull: isAlways && type.is === 'array' && !isList && !AS_WRITTEN.test(key),
      kept: kept.has(field),
      byValue: heldByValue,
    })
  }
  return plan
}

/** Required structs that are held by reference all the same: `null` when unset. */
const REFERENCED = new Set([
  'apps.DeploymentSpec.selector',
  'apps.DaemonSetSpec.selector',
  'apps.StatefulSetSpec.selector',
  'apps.ReplicaSetSpec.selector',
  'core.VolumeNodeAffinity.required',
  'apiregistration.APIServiceSpec.service',
])

/** Stored as JSON, or not at all. */
const AS_WRITTEN = /^(apiextensions|apiregistration|authentication|authorization)\./

const RAW = /\.(RawExtension|JSON|JSONSchemaPropsOr(Array|Bool|StringArray)|FieldsV1|Patch)$/

function typeOf(node: SchemaNode): WireType {
  if (node.$ref !== undefined) {
    const name = node.$ref.slice('#/definitions/'.length)
    if (name.endsWith('.resource.Quantity')) return { is: 'quantity' }
    if (name.endsWith('.intstr.IntOrString')) return { is: 'intOrString' }
    if (name.endsWith('.meta.v1.Time')) return { is: 'time' }
    if (name.endsWith('.meta.v1.MicroTime')) return { is: 'microTime' }
    if (RAW.test(name)) return { is: 'raw' }
    return { is: 'object', plan: planOf(name) }
  }
  if (node.items !== undefined) return { is: 'array', of: typeOf(node.items) }
  if (node.additionalProperties !== undefined) return { is: 'map', of: typeOf(node.additionalProperties) }
  switch (node.type) {
    case 'string':
      return { is: node.format === 'byte' ? 'bytes' : 'string' }
    case 'boolean':
      return { is: 'boolean' }
    case 'integer':
      return { is: node.format === 'int64' ? 'int64' : 'int32' }
    case 'number':
      return { is: 'double' }
    default:
      return { is: 'raw' }
  }
}

function words(text: string | undefined): ReadonlySet<string> {
  return new Set(text?.split(' '))
}

/** `io.k8s.api.core.v1.PodSpec` is `v1.PodSpec` in Go. */
function typeNameOf(name: string): string {
  return name.split('.').slice(-2).join('.')
}

/** `io.k8s.api.core.v1.PodSpec` is listed as `core.PodSpec`. */
function shapeKey(name: string): string {
  const parts = name.split('.')
  return `${parts.at(-3)}.${parts.at(-1)}`
}
