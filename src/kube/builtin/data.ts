/**
 * The recorded facts under config/kube, read when first asked for and kept.
 *
 * The files are written by scripts/generate-kube-data.js. Reading and parsing all that start-up needs
 * (resources and schema) takes about 5 ms.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type GroupVersion, type KubeObject } from '../../apimachinery/meta/types.js'

/** One property or definition of the published OpenAPI v2 schema. */
export interface SchemaNode {
  type?: string
  format?: string
  $ref?: string
  items?: SchemaNode
  properties?: Record<string, SchemaNode>
  additionalProperties?: SchemaNode
  required?: string[]
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[]
  'x-kubernetes-patch-merge-key'?: string
  'x-kubernetes-patch-strategy'?: string
  'x-kubernetes-list-type'?: string
  'x-kubernetes-list-map-keys'?: string[]
  'x-kubernetes-map-type'?: string
}

export interface SubresourceFacts {
  name: string
  kind: string
  group?: string
  version?: string
  verbs: string[]
}

export interface ResourceFacts extends GroupVersion {
  /** Plural. */
  name: string
  kind: string
  namespaced: boolean
  verbs: string[]
  shortNames?: string[]
  categories?: string[]
  storageVersionHash?: string
  patchTypes?: string[]
  subresources: SubresourceFacts[]
  /** name, type, format, priority */
  columns: [string, string, string, number][]
  /** Name of the kind in `schema.definitions`. */
  definition: string
}

export interface GroupFacts {
  name: string
  versions: string[]
  preferred: string
}

/** Objects of a fresh server by resource; without uid, times and kind. */
export type BootstrapObjects = Record<
  | 'clusterroles'
  | 'clusterrolebindings'
  | 'roles'
  | 'rolebindings'
  | 'priorityclasses'
  | 'flowschemas'
  | 'prioritylevelconfigurations'
  | 'apiservices',
  KubeObject[]
>

/** `[field number, type]` by field, by message, by package. */
export type ProtobufPackages = Record<string, Record<string, Record<string, [number, string]>>>

export const definitions = lazy<Record<string, SchemaNode>>(
  () => parse<{ definitions: Record<string, SchemaNode> }>('schema.json').definitions,
)
export const resourceFacts = lazy(() =>
  parse<{ groups: GroupFacts[]; resources: ResourceFacts[] }>('resources.json'),
)
export const protobufPackages = lazy(() => parse<{ packages: ProtobufPackages }>('protobuf.json').packages)

/** Parsed anew on each call: the caller owns the objects. */
export function bootstrapObjects(): BootstrapObjects {
  return parse<BootstrapObjects>('bootstrap.json')
}

function lazy<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}

function parse<T>(name: string): T {
  return JSON.parse(readFileSync(join(folder(), name), 'utf8')) as T
}

const folder = lazy(() => {
  // Sources run from src/, the build from dist/: config/ lies beside either.
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    const candidate = join(at, 'config', 'kube')
    if (existsSync(join(candidate, 'schema.json'))) return candidate
    if (at === dirname(at)) throw new Error('config/kube is missing beside the program')
  }
})
