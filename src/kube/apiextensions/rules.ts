/** Defaults and validation of CustomResourceDefinition objects themselves. */
import { type FieldFault } from '../../apimachinery/errors/index.js'
import { nameFaults } from '../../apimachinery/meta/names.js'
import { checkStructural } from '../../apimachinery/schema/structural/index.js'
import { type ResourceDefinition, type Strategy } from '../registry/strategy.js'
import { type CustomResourceDefinition } from './types.js'

/** The built-in definition of CustomResourceDefinitions, with the rules that the schema cannot hold. */
export function withDefinitionRules(builtin: ResourceDefinition): ResourceDefinition {
  const { strategy } = builtin
  const rules: Strategy = {
    ...strategy,
    applyDefaults(object) {
      strategy.applyDefaults(object)
      fillNames(object as CustomResourceDefinition)
    },
    prepareForCreate(object) {
      const definition = object as CustomResourceDefinition
      // The finalizer comes with the first pass of the controller, so that a dry run does not show it.
      const status = {
        conditions: null,
        acceptedNames: { plural: '', kind: '' },
        storedVersions: storedOf(definition),
      }
      definition.status = status as unknown as NonNullable<CustomResourceDefinition['status']>
    },
    prepareForUpdate(object, previous) {
      const definition = object as CustomResourceDefinition
      const before = previous as CustomResourceDefinition
      const known = definition.status?.storedVersions ?? before.status?.storedVersions ?? []
      definition.status = {
        ...definition.status,
        storedVersions: [...new Set([...known, ...storedOf(definition)])],
      }
    },
    validate: (object, context) => [
      ...strategy.validate(object, context),
      ...faultsOf(object as CustomResourceDefinition),
    ],
    validateUpdate: (object, previous, context) => [
      ...strategy.validateUpdate(object, previous, context),
      ...faultsOf(object as CustomResourceDefinition),
      ...immutableFaults(object as CustomResourceDefinition, previous as CustomResourceDefinition),
    ],
    hasGeneration: true,
    statusSubresource: true,
    allowUnconditionalUpdate: false,
  }
  return { ...builtin, strategy: rules }
}

function storedOf({ spec }: CustomResourceDefinition): string[] {
  return (spec?.versions ?? []).filter(({ storage }) => storage).map(({ name }) => name)
}

function fillNames({ spec }: CustomResourceDefinition): void {
  const names = spec?.names
  if (typeof names?.kind !== 'string' || names.kind === '') return
  names.singular ??= names.kind.toLowerCase()
  names.listKind ??= `${names.kind}List`
  spec.conversion ??= { strategy: 'None' }
}

function faultsOf({ metadata, spec, status }: CustomResourceDefinition): FieldFault[] {
  const faults: FieldFault[] = []
  const required = (field: string, message = 'Required value'): void => {
    faults.push({ reason: 'FieldValueRequired', field, message })
  }
  const invalid = (field: string, value: unknown, why: string): void => {
    faults.push({
      reason: 'FieldValueInvalid',
      field,
      message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
    })
  }
  /** @param read as which it is read */
  const label = (field: string, value: string, read = value): void => {
    for (const why of nameFaults('service', read)) invalid(field, value, why)
  }
  const { group = '', names, scope } = spec ?? {}
  const versions = spec?.versions ?? []
  const wanted = `${names?.plural ?? ''}.${group}`
  if (metadata.name !== wanted) {
    invalid('metadata.name', metadata.name ?? '', 'must be spec.names.plural+"."+spec.group')
  }
  if (group === '') required('spec.group')
  else if (!group.includes('.')) invalid('spec.group', group, 'should be a domain with at least one dot')
  if (!scope) required('spec.scope')
  else if (scope !== 'Namespaced' && scope !== 'Cluster') {
    faults.push({
      reason: 'FieldValueNotSupported',
      field: 'spec.scope',
      message: `Unsupported value: ${JSON.stringify(scope)}: supported values: "Cluster", "Namespaced"`,
    })
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    faults.push({
      reason: 'FieldValueInvalid',
      field: 'spec.versions',
      message: `Invalid value: ${goVersions(spec?.versions)}: must have exactly one version marked as storage version`,
    })
  }
  if (spec?.conversion?.strategy === 'Webhook') {
    const { clientConfig, conversionReviewVersions = [] } = spec.conversion.webhook ?? {}
    if (!clientConfig) {
      const why = 'required when strategy is set to Webhook'
      required('spec.conversion.webhook.clientConfig', `Required value: ${why}`)
    }
    if (conversionReviewVersions.length === 0) {
      required('spec.conversion.webhook.conversionReviewVersions')
    }
  }
  const seen = new Set<string>()
  versions.forEach((version, position) => {
    const field = `spec.versions[${position}]`
    if (seen.has(version.name)) {
      faults.push({
        reason: 'FieldValueDuplicate',
        field: `${field}.name`,
        message: `Duplicate value: ${JSON.stringify(version.name)}`,
      })
    }
    seen.add(version.name)
    label(`${field}.name`, version.name ?? '')
    const { deprecated = false, deprecationWarning: warning } = version
    if (warning !== undefined && !deprecated) {
      invalid(`${field}.deprecationWarning`, warning, 'can only be set for deprecated versions')
    } else if (warning === '') {
      invalid(`${field}.deprecationWarning`, warning, 'must not be an empty string')
    }
    ;(version.additionalPrinterColumns ?? []).forEach((column, i) => {
      const at = `${field}.additionalPrinterColumns[${i}]`
      if (!column.name) required(`${at}.name`)
      if (!column.type) required(`${at}.type`, `Required value: must be one of ${COLUMN_TYPES.join(',')}`)
      else if (!COLUMN_TYPES.includes(column.type)) {
        invalid(`${at}.type`, column.type, `must be one of ${COLUMN_TYPES.join(',')}`)
      }
      if (!column.jsonPath) required(`${at}.JSONPath`)
      else if (!isSimplePath(column.jsonPath)) invalid(`${at}.JSONPath`, column.jsonPath, SIMPLE_PATH)
    })
    const scale = version.subresources?.scale
    if (scale) {
      for (const [part, root] of [
        ['specReplicasPath', '.spec'],
        ['statusReplicasPath', '.status'],
      ] as const) {
        const at = `${field}.subresources.scale.${part}`
        const path = scale[part] ?? ''
        if (path === '') required(at)
        else if (!isSimplePath(path)) invalid(at, path, SIMPLE_PATH)
        else if (!path.startsWith(`${root}.`)) invalid(at, path, `should be a json path under ${root}`)
      }
      const selector = scale.labelSelectorPath
      const at = `${field}.subresources.scale.labelSelectorPath`
      if (selector !== undefined && selector !== '') {
        if (!isSimplePath(selector)) invalid(at, selector, SIMPLE_PATH)
        else if (!/^\.(spec|status)\./.test(selector)) {
          invalid(at, selector, 'should be a json path under either .spec or .status')
        }
      }
    }
    const schema = version.schema?.openAPIV3Schema
    if (!schema) required(`${field}.schema.openAPIV3Schema`, 'Required value: schemas are required')
    else faults.push(...checkStructural(schema, `${field}.schema.openAPIV3Schema`))
  })
  for (const key of ['plural', 'singular', 'kind', 'listKind'] as const) {
    if (!names?.[key]) required(`spec.names.${key}`)
    else label(`spec.names.${key}`, names[key], names[key].toLowerCase())
  }
  for (const key of ['shortNames', 'categories'] as const) {
    ;(names?.[key] ?? []).forEach((short, i) => label(`spec.names.${key}[${i}]`, short))
  }
  if ((status?.storedVersions ?? []).length === 0) {
    faults.push({
      reason: 'FieldValueInvalid',
      field: 'status.storedVersions',
      message: 'Invalid value: []string(nil): must have at least one stored version',
    })
  }
  return faults
}

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']
const SIMPLE_PATH = 'must be a simple json path starting with .'

function isSimplePath(path: string): boolean {
  return path.startsWith('.')
}

/** How the genuine server prints the list in an error. */
function goVersions(versions: readonly { name: string }[] | null | undefined): string {
  const type = '[]apiextensions.CustomResourceDefinitionVersion'
  return !versions || versions.length === 0
    ? `${type}(nil)`
    : `${type}{${versions.map(({ name }) => JSON.stringify(name)).join(', ')}}`
}

/** Once accepted, objects are stored under these. */
function immutableFaults(next: CustomResourceDefinition, previous: CustomResourceDefinition): FieldFault[] {
  const faults: FieldFault[] = []
  const keep = (field: string, after: unknown, before: unknown): void => {
    if (after === before) return
    faults.push({
      reason: 'FieldValueInvalid',
      field,
      message: `Invalid value: ${JSON.stringify(after)}: field is immutable`,
    })
  }
  const established = previous.status?.conditions?.some(
    ({ type, status }) => type === 'Established' && status === 'True',
  )
  if (established) {
    keep('spec.scope', next.spec.scope, previous.spec.scope)
    keep('spec.names.kind', next.spec.names.kind, previous.spec.names.kind)
  }
  keep('spec.group', next.spec.group, previous.spec.group)
  keep('spec.names.plural', next.spec.names.plural, previous.spec.names.plural)
  return faults
}
