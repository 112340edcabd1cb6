/**
 * Messages of the built-in kinds prepared for encoding and decoding: which field of the JSON form has which number,
 * and how its values are written. Made once per message, when first met.
 *
 * Numbers come from config/kube/protobuf.json, the names of JSON from the schema: messages spell some fields in another
 * way, and hold in a message of its own what JSON has inline.
 */
import { definitions, protobufPackages, type SchemaNode } from '../builtin/data.js'

export type Scalar = 'string' | 'bool' | 'integer' | 'double' | 'bytes'
/** Messages whose JSON form is no object of the same fields. */
export type Special =
  | 'quantity'
  | 'intOrString'
  | 'time'
  | 'microTime'
  | 'rawJson'
  | 'strings'
  | 'schemaOrBool'
  | 'schemaOrArray'
  | 'schemaOrStrings'

export type ValueType = { is: Scalar } | { is: Special; plan?: Plan } | { is: 'message'; plan: Plan }

export interface Field {
  number: number
  /** In JSON. */
  name: string
  type: ValueType
  repeated: boolean
  /** A map from strings. */
  map: boolean
  /** The fields of the message stand in JSON beside this one's. */
  inline: boolean
}

export interface Plan {
  fields: readonly Field[]
  byNumber: ReadonlyMap<number, Field>
}

/** Versions that we serve beside 1.20 have the numbers of those they grew out of. */
const GROWN_FROM: Readonly<Record<string, string>> = {
  'k8s.io.api.autoscaling.v2': 'k8s.io.api.autoscaling.v2beta2',
  'k8s.io.api.batch.v1': 'k8s.io.api.batch.v1beta1',
  'k8s.io.api.discovery.v1': 'k8s.io.api.discovery.v1beta1',
  'k8s.io.api.policy.v1': 'k8s.io.api.policy.v1beta1',
}

const META = 'k8s.io.apimachinery.pkg.apis.meta.v1'

const SPECIAL: readonly [RegExp, Special][] = [
  [/\.resource\.Quantity$/, 'quantity'],
  [/\.intstr\.IntOrString$/, 'intOrString'],
  [/\.meta\.v1\.Time$/, 'time'],
  [/\.meta\.v1\.MicroTime$/, 'microTime'],
  [/\.(FieldsV1|RawExtension|JSON)$/, 'rawJson'],
  [/\.(ExtraValue|Verbs)$/, 'strings'],
  [/\.JSONSchemaPropsOrBool$/, 'schemaOrBool'],
  [/\.JSONSchemaPropsOrArray$/, 'schemaOrArray'],
  [/\.JSONSchemaPropsOrStringArray$/, 'schemaOrStrings'],
]

const SCALARS: Readonly<Record<string, Scalar>> = {
  string: 'string',
  bool: 'bool',
  bytes: 'bytes',
  double: 'double',
  int32: 'integer',
  int64: 'integer',
}

const DISCOVERY = /^API(Group|GroupList|ResourceList|Versions)$/

const plans = new Map<string, Plan | undefined>()
let byKind: Map<string, string> | undefined

/** The message of a kind. @returns undefined for kinds without one */
export function planOfKind(apiVersion: string, kind: string): Plan | undefined {
  if (kind === 'Status' || kind === 'DeleteOptions' || kind.startsWith('PartialObjectMetadata')) {
    return planOfMessage(`${META}.${kind}`)
  }
  if (!byKind) {
    byKind = new Map()
    for (const [name, node] of Object.entries(definitions())) {
      for (const each of node['x-kubernetes-group-version-kind'] ?? []) {
        const version = each.group === '' ? each.version : `${each.group}/${each.version}`
        byKind.set(`${version} ${each.kind}`, name)
      }
    }
  }
  const definition = byKind.get(`${apiVersion} ${kind}`)
  if (definition !== undefined) return planOf(messageOf(definition), definition)
  return DISCOVERY.test(kind) && apiVersion === 'v1' ? planOfMessage(`${META}.${kind}`) : undefined
}

/** @throws Error when there is no such message */
export function planOfMessage(message: string): Plan {
  const definition = definitionOf(message)
  const plan = planOf(message, definition in definitions() ? definition : undefined)
  if (!plan) throw new Error(`there is no message ${message}`)
  return plan
}

/** `io.k8s.api.core.v1.Pod` → `k8s.io.api.core.v1.Pod` */
function messageOf(definition: string): string {
  return `k8s.io.${definition.slice('io.k8s.'.length).replaceAll('-', '_')}`
}

function definitionOf(message: string): string {
  return `io.k8s.${message.slice('k8s.io.'.length)}`
    .replace('_apiserver', '-apiserver')
    .replace('kube_', 'kube-')
}

type Message = Record<string, [number, string]>

function find(name: string): Message | undefined {
  const dot = name.lastIndexOf('.')
  const home = name.slice(0, dot)
  const message = protobufPackages()[home]?.[name.slice(dot + 1)]
  const origin = GROWN_FROM[home]
  return message ?? (origin === undefined ? undefined : find(origin + name.slice(dot)))
}

function planOf(name: string, definition: string | undefined): Plan | undefined {
  const key = `${name} ${definition ?? ''}`
  if (plans.has(key)) return plans.get(key)
  const message = find(name)
  if (!message) return undefined
  const home = name.slice(0, name.lastIndexOf('.'))
  const fields: Field[] = []
  const byNumber = new Map<number, Field>()
  const plan: Plan = { fields, byNumber }
  // Known before its fields are made: JSONSchemaProps refers to itself.
  plans.set(key, plan)
  const properties = definition === undefined ? undefined : definitions()[definition]?.properties
  for (const [field, [number, written]] of inOrder(message)) {
    const made = makeField(field, number, written, home, definition, properties)
    fields.push(made)
    byNumber.set(number, made)
  }
  return plan
}

function inOrder(message: Message): [string, [number, string]][] {
  return Object.entries(message).sort(([, [a]], [, [b]]) => a - b)
}

function makeField(
  name: string,
  number: number,
  written: string,
  home: string,
  definition: string | undefined,
  properties: Readonly<Record<string, SchemaNode>> | undefined,
): Field {
  const repeated = written.startsWith('repeated ')
  const map = /^map<string, (.+)>$/.exec(written)?.[1]
  const typeName = map ?? (repeated ? written.slice('repeated '.length) : written)
  const known = properties && jsonName(name, properties)
  const full = typeName.includes('.') ? typeName : `${home}.${typeName}`
  const isMessage = !(typeName in SCALARS)
  const inline = properties !== undefined && known === undefined && isMessage && !repeated
  const child = inline ? definition : refOf(known === undefined ? undefined : properties?.[known])
  return {
    number,
    name: known ?? name,
    type: typeOf(typeName, full, child),
    repeated,
    map: map !== undefined,
    inline,
  }
}

function typeOf(typeName: string, full: string, definition: string | undefined): ValueType {
  const scalar = SCALARS[typeName]
  if (scalar) return { is: scalar }
  const special = SPECIAL.find(([pattern]) => pattern.test(full))?.[1]
  if (special) {
    if (!special.startsWith('schema')) return { is: special }
    const props = full.replace(/Or(Bool|Array|StringArray)$/, '')
    return { is: special, plan: planOfMessage(props) }
  }
  const plan = planOf(full, definition ?? ownDefinition(full))
  if (!plan) throw new Error(`there is no message ${full}`)
  return { is: 'message', plan }
}

function ownDefinition(message: string): string | undefined {
  const name = definitionOf(message)
  return name in definitions() ? name : undefined
}

function refOf(node: SchemaNode | undefined): string | undefined {
  const inner = node?.items ?? node?.additionalProperties ?? node
  const name = inner?.$ref?.slice('#/definitions/'.length)
  return name !== undefined && definitions()[name]?.properties ? name : undefined
}

/** `ref` is `$ref`, `xKubernetesListType` is `x-kubernetes-list-type`, `aPIVersion` is `apiVersion`. */
function jsonName(name: string, properties: Readonly<Record<string, SchemaNode>>): string | undefined {
  const spellings = [name, `$${name}`, name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)]
  const found = spellings.find((each) => Object.hasOwn(properties, each))
  if (found !== undefined) return found
  const lower = name.toLowerCase()
  return Object.keys(properties).find((each) => each.toLowerCase() === lower)
}
