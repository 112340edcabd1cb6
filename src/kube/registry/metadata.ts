/**
 * ObjectMeta: what the server sets, what it keeps, what it refuses.
 *
 * Every stored object has its metadata in one key order, so that the bytes of equal objects are equal and
 * the fields looked for most come first.
 */
import { type FieldFault } from '../../apimachinery/errors/index.js'
import { type KubeObject, type ObjectMeta } from '../../apimachinery/meta/types.js'
import { invalidValue, labelValueFaults, nameFaults, qualifiedNameFaults } from './names.js'
import { type Strategy } from './strategy.js'

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

const ANNOTATIONS_LIMIT = 256 * 1024

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** Known fields in wire order; empty ones, nulls and what is no metadata at all are left out. */
export function orderedMetadata(metadata: ObjectMeta): ObjectMeta {
  const ordered: Record<string, unknown> = {}
  for (const field of ORDER) {
    const value = metadata[field]
    if (!isEmpty(value)) ordered[field] = value
  }
  return ordered as ObjectMeta
}

/** The object as it is stored: kind, apiVersion, metadata in front. */
export function orderedObject(object: KubeObject, kind: string, apiVersion: string): KubeObject {
  const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = object
  return { kind, apiVersion, metadata: orderedMetadata(metadata), ...rest }
}

const STANDARD_FINALIZERS = new Set(['orphan', 'foregroundDeletion', 'kubernetes'])

function finalizerFaults(finalizers: readonly string[]): FieldFault[] {
  const faults: FieldFault[] = []
  finalizers.forEach((finalizer, i) => {
    const field = `metadata.finalizers[${i}]`
    const wrong = qualifiedNameFaults(finalizer)
    faults.push(...wrong.map((why) => invalidValue(field, finalizer, why)))
    if (wrong.length === 0 && !finalizer.includes('/') && !STANDARD_FINALIZERS.has(finalizer)) {
      faults.push(
        invalidValue(field, finalizer, 'name is neither a standard finalizer name nor is it fully qualified'),
      )
    }
  })
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    faults.push({
      reason: 'FieldValueInvalid',
      field: 'metadata.finalizers',
      message: `Invalid value: ${goStrings(finalizers)}: finalizer orphan and foregroundDeletion cannot be both set`,
    })
  }
  return faults
}

/** `[]string{"a", "b"}`, as messages print lists. */
export function goStrings(texts: readonly string[]): string {
  return `[]string{${texts.map((text) => JSON.stringify(text)).join(', ')}}`
}

function ownerFaults(owners: NonNullable<ObjectMeta['ownerReferences']>): FieldFault[] {
  const faults: FieldFault[] = []
  owners.forEach((owner, i) => {
    const field = `metadata.ownerReferences[${i}]`
    const required = (name: string, what: string): void => {
      faults.push({
        reason: 'FieldValueInvalid',
        field: `${field}.${name}`,
        message: `Invalid value: "": ${what} must not be empty`,
      })
    }
    if (!owner.apiVersion) required('apiVersion', 'version')
    if (!owner.kind) required('kind', 'kind')
    if (!owner.name) required('name', 'name')
    if (!owner.uid) required('uid', 'uid')
  })
  const controllers = owners.filter((owner) => owner.controller === true)
  if (controllers.length > 1) {
    const printed = owners.map(
      (owner) =>
        `v1.OwnerReference{APIVersion:${JSON.stringify(owner.apiVersion)}, Kind:${JSON.stringify(owner.kind)}, Name:${JSON.stringify(owner.name)}, UID:${JSON.stringify(owner.uid)}}`,
    )
    faults.push({
      reason: 'FieldValueInvalid',
      field: 'metadata.ownerReferences',
      message: `Invalid value: []v1.OwnerReference{${printed.join(', ')}}: Only one reference can have Controller set to true. Found "true" in references for ${controllers[0]?.name} and ${controllers[1]?.name}`,
    })
  }
  return faults
}

function annotationFaults(annotations: Readonly<Record<string, string>>): FieldFault[] {
  const faults: FieldFault[] = []
  let size = 0
  for (const [key, value] of Object.entries(annotations)) {
    for (const why of qualifiedNameFaults(key.toLowerCase())) {
      faults.push(invalidValue('metadata.annotations', key, why))
    }
    size += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (size > ANNOTATIONS_LIMIT) {
    faults.push({
      reason: 'FieldValueTooLong',
      field: 'metadata.annotations',
      message: `Too long: must have at most ${ANNOTATIONS_LIMIT} bytes`,
    })
  }
  return faults
}

export function labelFaults(labels: Readonly<Record<string, string>>, field: string): FieldFault[] {
  const faults: FieldFault[] = []
  for (const [key, value] of Object.entries(labels)) {
    for (const why of qualifiedNameFaults(key)) faults.push(invalidValue(field, key, why))
    for (const why of labelValueFaults(value)) faults.push(invalidValue(field, value, why))
  }
  return faults
}

/** All faults of the metadata of a new or changed object. */
export function metadataFaults(metadata: ObjectMeta, rule: Strategy['nameRule']): FieldFault[] {
  const faults: FieldFault[] = []
  if (metadata.generateName) {
    for (const why of nameFaults(rule, metadata.generateName, true)) {
      faults.push(invalidValue('metadata.generateName', metadata.generateName, why))
    }
  }
  if (!metadata.name) {
    faults.push({
      reason: 'FieldValueRequired',
      field: 'metadata.name',
      message: 'Required value: name or generateName is required',
    })
  } else {
    for (const why of nameFaults(rule, metadata.name)) {
      faults.push(invalidValue('metadata.name', metadata.name, why))
    }
  }
  if (metadata.labels) faults.push(...labelFaults(metadata.labels, 'metadata.labels'))
  if (metadata.annotations) faults.push(...annotationFaults(metadata.annotations))
  if (metadata.ownerReferences) faults.push(...ownerFaults(metadata.ownerReferences))
  if (metadata.finalizers) faults.push(...finalizerFaults(metadata.finalizers))
  return faults
}

/** Faults of a change, besides those that the new metadata has by itself. */
export function metadataUpdateFaults(metadata: ObjectMeta, previous: Readonly<ObjectMeta>): FieldFault[] {
  if (!previous.deletionTimestamp) return []
  const known = new Set(previous.finalizers)
  const added = (metadata.finalizers ?? []).filter((finalizer) => !known.has(finalizer))
  if (added.length === 0) return []
  return [
    {
      reason: 'FieldValueForbidden',
      field: 'metadata.finalizers',
      message: `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${goStrings(added)}`,
    },
  ]
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
