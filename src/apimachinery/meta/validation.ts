/**
 * Faults of ObjectMeta on create and on update, in the order and words of kube-apiserver.
 *
 * Types are taken for granted: whoever decodes the body has refused labels that are no strings.
 */
import { type FieldFault } from '../errors/index.js'
import {
  forbiddenField,
  goStrings,
  goSyntax,
  invalidValue,
  quoted,
  required,
  tooLongValue,
} from '../errors/faults.js'
import {
  generateNameFaults,
  labelFaults,
  labelValueFaults,
  nameFaults,
  type NameRule,
  qualifiedNameFaults,
} from './names.js'
import { parseApiVersion, type ObjectMeta, type OwnerReference } from './types.js'

const ANNOTATIONS_LIMIT = 256 * 1024
const STANDARD_FINALIZERS = new Set(['orphan', 'foregroundDeletion', 'kubernetes'])

export interface ObjectMetaRules {
  namespaced: boolean
  nameRule: NameRule
  /** Built-in kinds want finalizers qualified; custom resources are let off in 1.20. */
  standardFinalizers?: boolean
}

type Meta = Readonly<ObjectMeta>

export function validateObjectMeta(meta: Meta, rules: ObjectMetaRules): FieldFault[] {
  const { namespaced, nameRule, standardFinalizers = true } = rules
  const faults: FieldFault[] = []
  const add = (field: string, value: unknown, details: readonly string[]): void => {
    for (const detail of details) faults.push(invalidValue(`metadata.${field}`, value, detail))
  }
  if (meta.generateName) {
    add('generateName', meta.generateName, generateNameFaults(nameRule, meta.generateName))
  }
  if (!meta.name) faults.push(required('metadata.name', 'name or generateName is required'))
  else add('name', meta.name, nameFaults(nameRule, meta.name))
  if (!namespaced) {
    if (meta.namespace) faults.push(forbiddenField('metadata.namespace', 'not allowed on this type'))
  } else if (!meta.namespace) faults.push(required('metadata.namespace'))
  else add('namespace', meta.namespace, labelFaults(meta.namespace))
  if ((meta.generation ?? 0) < 0) {
    add('generation', meta.generation, ['must be greater than or equal to 0'])
  }
  return [...faults, ...sharedFaults(meta), ...finalizerFaults(meta.finalizers ?? [], standardFinalizers)]
}

/** What create and update both check. */
function sharedFaults(meta: Meta): FieldFault[] {
  return [
    ...validateLabels(meta.labels, 'metadata.labels'),
    ...validateAnnotations(meta.annotations, 'metadata.annotations'),
    ...ownerFaults(meta.ownerReferences ?? []),
    ...managedFieldsFaults(meta.managedFields ?? []),
  ]
}

export function validateLabels(
  labels: Readonly<Record<string, string>> | undefined,
  field: string,
): FieldFault[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...qualifiedNameFaults(key).map((detail) => invalidValue(field, key, detail)),
    ...labelValueFaults(value).map((detail) => invalidValue(field, value, detail)),
  ])
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  field: string,
): FieldFault[] {
  const faults: FieldFault[] = []
  let bytes = 0
  for (const [key, value] of Object.entries(annotations ?? {})) {
    for (const detail of qualifiedNameFaults(key.toLowerCase())) faults.push(invalidValue(field, key, detail))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (bytes > ANNOTATIONS_LIMIT) faults.push(tooLongValue(field, ANNOTATIONS_LIMIT))
  return faults
}

function ownerFaults(owners: readonly OwnerReference[]): FieldFault[] {
  const field = 'metadata.ownerReferences'
  const faults: FieldFault[] = []
  for (const owner of owners) {
    const version = parseApiVersion(owner.apiVersion)
    if (!version)
      faults.push(invalidValue(`${field}.apiVersion`, owner.apiVersion, 'version must not be empty'))
    for (const part of ['kind', 'name', 'uid'] as const) {
      if (!owner[part])
        faults.push(invalidValue(`${field}.${part}`, owner[part], `${part} must not be empty`))
    }
    if (version?.group === '' && owner.kind === 'Event') {
      const why = `/${version.version}, Kind=Event is disallowed from being an owner`
      faults.push(invalidValue(field, goSyntax(goOwner(owner)), why))
    }
  }
  const controllers = owners.filter((owner) => owner.controller === true)
  if (controllers.length > 1) {
    const names = `${controllers[0]?.name ?? ''} and ${controllers[1]?.name ?? ''}`
    faults.push(
      invalidValue(
        field,
        goSyntax(`[]v1.OwnerReference{${owners.map(goOwner).join(', ')}}`),
        `Only one reference can have Controller set to true. Found "true" in references for ${names}`,
      ),
    )
  }
  return faults
}

/** As Go prints the struct; where it would print a memory address stands a constant one. */
function goOwner(owner: OwnerReference): string {
  const flag = (value: boolean | undefined): string =>
    value === undefined ? '(*bool)(nil)' : '(*bool)(0xc000000000)'
  return `v1.OwnerReference{APIVersion:${quoted(owner.apiVersion)}, Kind:${quoted(owner.kind)}, Name:${quoted(owner.name)}, UID:${quoted(owner.uid)}, Controller:${flag(owner.controller)}, BlockOwnerDeletion:${flag(owner.blockOwnerDeletion)}}`
}

function finalizerFaults(finalizers: readonly string[], standardOnly: boolean): FieldFault[] {
  const field = 'metadata.finalizers'
  const faults = finalizers.flatMap((finalizer, i) =>
    qualifiedNameFaults(finalizer).map((detail) => invalidValue(`${field}[${i}]`, finalizer, detail)),
  )
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    const why = 'finalizer orphan and foregroundDeletion cannot be both set'
    faults.push(invalidValue(field, goStrings(finalizers), why))
  }
  if (standardOnly) {
    finalizers.forEach((finalizer, i) => {
      if (finalizer.includes('/') || STANDARD_FINALIZERS.has(finalizer)) return
      const why = 'name is neither a standard finalizer name nor is it fully qualified'
      faults.push(invalidValue(`${field}[${i}]`, finalizer, why))
    })
  }
  return faults
}

function managedFieldsFaults(entries: NonNullable<ObjectMeta['managedFields']>): FieldFault[] {
  return entries.flatMap((entry, i) => {
    const field = `metadata.managedFields[${i}]`
    const faults: FieldFault[] = []
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') {
      faults.push(invalidValue(`${field}.operation`, entry.operation ?? '', 'must be `Apply` or `Update`'))
    }
    if (entry.fieldsType !== 'FieldsV1') {
      faults.push(invalidValue(`${field}.fieldsType`, entry.fieldsType ?? '', 'must be `FieldsV1`'))
    }
    return faults
  })
}

const IMMUTABLE = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const

/** What an update may not do to metadata, and what create would refuse too. */
export function validateObjectMetaUpdate(meta: Meta, previous: Meta): FieldFault[] {
  const faults: FieldFault[] = []
  if (previous.deletionTimestamp) {
    const before = new Set(previous.finalizers ?? [])
    const added = [...new Set(meta.finalizers ?? [])].filter((each) => !before.has(each)).sort()
    if (added.length > 0) {
      const why = `no new finalizers can be added if the object is being deleted, found new finalizers ${listed(added)}`
      faults.push(forbiddenField('metadata.finalizers', why))
    }
  }
  if (!meta.resourceVersion) {
    faults.push(invalidValue('metadata.resourceVersion', '', 'must be specified for an update'))
  }
  if ((meta.generation ?? 0) < (previous.generation ?? 0)) {
    faults.push(invalidValue('metadata.generation', meta.generation ?? 0, 'must not be decremented'))
  }
  for (const field of IMMUTABLE) {
    const [now, before] = [meta[field], previous[field]]
    if ((now ?? '') === (before ?? '')) continue
    faults.push(invalidValue(`metadata.${field}`, now ?? null, 'field is immutable'))
  }
  return [...faults, ...sharedFaults(meta)]
}

const listed = (texts: readonly string[]): string => `[]string{${texts.map(quoted).join(', ')}}`
