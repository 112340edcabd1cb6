/**
 * The order of metadata on the wire and in storage, and the types a body must have there.
 *
 * Every stored object has its metadata in one key order, so that the bytes of equal objects are equal and
 * the fields looked for most come first.
 */
import { setOwn } from '../../apimachinery/json/value.js'
import { type KubeObject, type ObjectMeta } from '../../apimachinery/meta/types.js'

const ORDER: readonly (keyof ObjectMeta)[] = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
]

const LEADING: ReadonlySet<string> = new Set(['kind', 'apiVersion', 'metadata'])

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  if (Array.isArray(value)) return value.length === 0
  if (typeof value !== 'object') return false
  for (const _ in value) return false
  return true
}

/** Known fields in wire order; empty ones, nulls and what is no metadata at all are left out. */
export function orderedMetadata(
  metadata: ObjectMeta,
  resourceVersion = metadata.resourceVersion,
): ObjectMeta {
  const ordered: Record<string, unknown> = {}
  for (const field of ORDER) {
    const value = field === 'resourceVersion' ? resourceVersion : metadata[field]
    if (!isEmpty(value)) ordered[field] = value
  }
  return ordered
}

/** The object as it is stored: kind, apiVersion, metadata in front. */
export function orderedObject(
  object: KubeObject,
  kind: string,
  apiVersion: string,
  resourceVersion?: string,
): KubeObject {
  const metadata = orderedMetadata(object.metadata, resourceVersion)
  const ordered: KubeObject = { kind, apiVersion, metadata }
  for (const name of Object.keys(object)) {
    if (!LEADING.has(name)) setOwn(ordered, name, object[name])
  }
  return ordered
}

/** Where the types of metadata are wrong: a body may hold anything. */
export function metadataTypeFault(metadata: unknown): string | undefined {
  if (metadata === undefined || metadata === null) return undefined
  if (typeof metadata !== 'object' || Array.isArray(metadata)) return 'metadata'
  const meta = metadata as Record<string, unknown>
  for (const field of ['name', 'generateName', 'namespace', 'uid', 'resourceVersion']) {
    const value = meta[field]
    if (value !== undefined && value !== null && typeof value !== 'string') return `metadata.${field}`
  }
  for (const field of ['labels', 'annotations']) {
    const map = meta[field]
    if (map === undefined || map === null) continue
    if (typeof map !== 'object' || Array.isArray(map)) return `metadata.${field}`
    for (const [key, value] of Object.entries(map)) {
      if (value === null) (map as Record<string, string>)[key] = ''
      else if (typeof value !== 'string') return `metadata.${field}.${key}`
    }
  }
  for (const field of ['finalizers', 'ownerReferences', 'managedFields']) {
    const list = meta[field]
    if (list === undefined || list === null) continue
    if (!Array.isArray(list)) return `metadata.${field}`
    const wanted = field === 'finalizers' ? 'string' : 'object'
    const wrong = list.findIndex((item) => typeof item !== wanted || item === null)
    if (wrong >= 0) return `metadata.${field}[${wrong}]`
  }
  return undefined
}
