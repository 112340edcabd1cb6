/**
 * Label and field selectors of a request as one filter over stored entries.
 *
 * Names and namespaces are read from the key, labels from the bytes; only other fields need the object.
 */
import { own } from '../../apimachinery/json/value.js'
import { badRequest } from '../../apimachinery/errors/index.js'
import { type FieldSelector, parseFieldSelector } from '../../apimachinery/fields/index.js'
import { parseSelector } from '../../apimachinery/labels/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { labelsOf } from './bytes.js'
import { parse, type Served, served } from './served.js'
import { type ResourceDefinition } from './strategy.js'

export interface Filter {
  /** True: no selector at all. */
  everything: boolean
  /** Set when only an object of this name can match. */
  name?: string
  matches(key: string, value: Buffer): boolean
}

export const EVERYTHING: Filter = { everything: true, matches: () => true }

const META_FIELDS = new Set(['metadata.name', 'metadata.namespace'])

/** @throws StatusError 400 for what cannot be parsed and for fields that the kind does not offer */
export function filterFor(definition: ResourceDefinition, labelText: string, fieldText: string): Filter {
  const labels = parseSelector(labelText)
  const fields = parseFieldSelector(fieldText)
  if (labels.isEmpty && fields.isEmpty) return EVERYTHING
  checkFields(definition, fields)
  const resource = served(definition)
  const name = fields.exact('metadata.name')
  const matchesFields = fields.isEmpty ? () => true : fieldTest(resource, fields)
  return {
    everything: false,
    ...(name !== undefined && { name }),
    matches: (key, value) => matchesFields(key, value) && (labels.isEmpty || labels.matches(labelsOf(value))),
  }
}

function checkFields({ strategy, custom }: ResourceDefinition, fields: FieldSelector): void {
  for (const { field } of fields.requirements) {
    if (META_FIELDS.has(field) || own(strategy.fieldSelectors ?? {}, field)) continue
    if (custom || strategy.fieldSelectors) throw badRequest(`field label not supported: ${field}`)
    throw badRequest(`"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`)
  }
}

function fieldTest(resource: Served, fields: FieldSelector): Filter['matches'] {
  const { fieldSelectors = {} } = resource.definition.strategy
  return (key, value) => {
    const { name, namespace } = resource.where(key)
    return fields.matches((field) => {
      if (field === 'metadata.name') return name
      if (field === 'metadata.namespace') return namespace
      return fieldSelectors[field]?.(parsedOnce(value)) ?? ''
    })
  }
}

/** Watchers are asked about the same event one after the other. */
let latest: { value: Buffer; object: Readonly<KubeObject> } | undefined

function parsedOnce(value: Buffer): Readonly<KubeObject> {
  if (latest?.value !== value) latest = { value, object: parse(value) }
  return latest.object
}
