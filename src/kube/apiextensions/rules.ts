/** Defaults and validation of CustomResourceDefinition objects themselves. */
import { goSyntax, invalidValue } from '../../apimachinery/errors/faults.js'
import { type FieldFault } from '../../apimachinery/errors/index.js'
import { nameFaults } from '../../apimachinery/meta/names.js'
import { checkStructural } from '../../apimachinery/schema/structural/index.js'
import { type JsonSchema } from '../../apimachinery/schema/structural/types.js'
import { same } from '../builtin/faults.js'
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
      ...preservationFaults(object as CustomResourceDefinition),
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

function fillNames({ apiVersion, spec }: CustomResourceDefinition): void {
  const names = spec?.names
  if (typeof names?.kind !== 'string' || names.kind === '') return
  names.singular ??= names.kind.toLowerCase()
  names.listKind ??= `${names.kind}List`
  spec.conversion ??= { strategy: 'None' }
  // False is the only value that v1 has; it is not written.
  if (spec.preserveUnknownFields === false && apiVersion?.endsWith('/v1')) delete spec.preserveUnknownFields
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
  const label = (field: string, value: string): void => {
    for (const why of nameFaults('service', value)) invalid(field, value, why)
  }
  const { group = '', names, scope } = spec ?? {}
  const versions = spec?.versions ?? []
  const wanted = `${names?.plural ?? ''}.${group}`
  if (metadata.name && metadata.name !== wanted) {
    invalid('metadata.name', metadata.name ?? '', 'must be spec.names.plural+"."+spec.group')
  }
  const groupFaults = nameFaults('subdomain', group)
  if (group === '') required('spec.group')
  else if (groupFaults.length > 0) for (const why of groupFaults) invalid('spec.group', group, why)
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
  // What all versions have in common is found where v1beta1 said it once for all.
  const common = (part: 'schema' | 'subresources' | 'additionalPrinterColumns', at: string) =>
    versions.every((version) => same(version[part], versions[0]?.[part])) ? at : undefined
  const schemaAt = common('schema', 'spec.validation')
  const subresourcesAt = common('subresources', 'spec.subresources')
  const columnsAt = common('additionalPrinterColumns', 'spec.additionalPrinterColumns')
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
    // The first names the field that there was before there were several.
    if (position === 0 && version.name) label('spec.version', version.name)
    const { deprecated = false, deprecationWarning: warning } = version
    if (warning !== undefined && !deprecated) {
      invalid(`${field}.deprecationWarning`, warning, 'can only be set for deprecated versions')
    } else if (warning === '') {
      invalid(`${field}.deprecationWarning`, warning, 'must not be an empty string')
    }
    const shown = columnsAt !== undefined && position > 0 ? [] : (version.additionalPrinterColumns ?? [])
    shown.forEach((column, i) => {
      const at = `${columnsAt ?? `${field}.additionalPrinterColumns`}[${i}]`
      if (!column.name) required(`${at}.name`)
      if (!column.type) required(`${at}.type`, `Required value: must be one of ${COLUMN_TYPES.join(',')}`)
      else if (!COLUMN_TYPES.includes(column.type)) {
        invalid(`${at}.type`, column.type, `must be one of ${COLUMN_TYPES.join(',')}`)
      }
      if (column.format && !FORMATS.includes(column.format)) {
        invalid(`${at}.format`, column.format, `must be one of ${FORMATS.join(',')}`)
      }
      if (!column.jsonPath) required(`${at}.JSONPath`)
      else if (!isSimplePath(column.jsonPath)) invalid(`${at}.JSONPath`, column.jsonPath, SIMPLE_PATH)
    })
    const scale = version.subresources?.scale
    if (scale && (subresourcesAt === undefined || position === 0)) {
      for (const [part, root] of [
        ['specReplicasPath', '.spec'],
        ['statusReplicasPath', '.status'],
      ] as const) {
        const at = `${subresourcesAt ?? `${field}.subresources`}.scale.${part}`
        const path = scale[part] ?? ''
        if (path === '') required(at)
        else if (!isSimplePath(path)) invalid(at, path, SIMPLE_PATH)
        else if (!path.startsWith(`${root}.`)) invalid(at, path, `should be a json path under ${root}`)
      }
      const selector = scale.labelSelectorPath
      const at = `${subresourcesAt ?? `${field}.subresources`}.scale.labelSelectorPath`
      if (selector !== undefined && selector !== '') {
        if (!isSimplePath(selector)) invalid(at, selector, SIMPLE_PATH)
        else if (!/^\.(spec|status)\./.test(selector)) {
          invalid(at, selector, 'should be a json path under either .spec or .status')
        }
      }
    }
    const schema = version.schema?.openAPIV3Schema
    if (!schema) required(`${field}.schema.openAPIV3Schema`, 'Required value: schemas are required')
    else if (schemaAt === undefined || position === 0) {
      const at = schemaAt ?? `${field}.schema`
      if (version.subresources?.status) faults.push(...rootFaults(at, schema))
      faults.push(...checkStructural(schema, `${at}.openAPIV3Schema`))
    }
  })
  for (const key of ['plural', 'singular', 'kind', 'listKind'] as const) {
    if (!names?.[key]) required(`spec.names.${key}`)
    else if (key === 'plural' || key === 'singular') label(`spec.names.${key}`, names[key])
    else {
      for (const why of nameFaults('service', names[key].toLowerCase())) {
        invalid(`spec.names.${key}`, names[key], `may have mixed case, but should otherwise match: ${why}`)
      }
    }
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

/** A new definition says in its schema what is to be kept. */
function preservationFaults({ apiVersion, spec }: CustomResourceDefinition): FieldFault[] {
  if (spec?.preserveUnknownFields !== true || !apiVersion?.endsWith('/v1')) return []
  const why = 'cannot set to true, set x-preserve-unknown-fields to true in spec.versions[*].schema instead'
  return [invalidValue('spec.preserveUnknownFields', true, why)]
}

/** What the root of a schema may say where the status is written by itself: nothing that looks at both. */
const AT_ROOT = new Set([
  ...['description', 'type', 'format', 'title', 'maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum'],
  ...['maxLength', 'minLength', 'pattern', 'maxItems', 'minItems', 'uniqueItems', 'multipleOf', 'required'],
  ...['items', 'properties', 'externalDocs', 'example', 'x-kubernetes-preserve-unknown-fields'],
  'x-kubernetes-validations',
])
const AT_ROOT_TEXT =
  'only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields] fields are allowed at the root of the schema if the status subresource is enabled'
/** Looked at before the type, which ends the search. */
const BEFORE_TYPE = ['id', '$schema', '$ref']

function rootFaults(field: string, schema: JsonSchema): FieldFault[] {
  const keys = Object.keys(schema)
  const wrong = keys.filter((key) => !AT_ROOT.has(key))
  const root = (): FieldFault[] => [
    invalidValue(`${field}.openAPIV3Schema`, goSyntax('apiextensions.JSONSchemaProps{}'), AT_ROOT_TEXT),
  ]
  if (wrong.some((key) => BEFORE_TYPE.includes(key))) return root()
  const { type } = schema
  if (type && type !== 'object') {
    const why =
      'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
    return [invalidValue(`${field}.openAPIV3Schema.type`, type, why)]
  }
  return wrong.length > 0 ? root() : []
}

const FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']
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
