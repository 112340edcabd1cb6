/** Makes the strategy of one served version of a built-in kind from its facts and its rules. */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Strategy, type TableColumn } from '../registry/strategy.js'
import { age } from './printing/age.js'
import { rowOf } from './printing/index.js'
import { type Conversion } from './conversion/index.js'
import { storageOf } from './storage.js'
import { definitions, type ResourceFacts } from './data.js'
import { type KindRules } from './rules.js'
import { decodeAs, decodePart } from './wire/decode.js'

export function strategyOf(
  facts: ResourceFacts,
  rules: KindRules,
  convert: Conversion | undefined,
): Strategy {
  const columns = columnsOf(facts)
  const emptyStatus = emptyStatusOf(facts)
  const validate: Strategy['validate'] = (object, context) => rules.validate?.(object, context) ?? []
  return {
    decode: (object, issues) => decodeAs(facts.definition, object, issues),
    applyDefaults(object) {
      // The registry takes the status of a new object away; the types write it even when empty.
      if (emptyStatus !== undefined) object['status'] ??= emptyStatus()
      rules.defaults?.(object)
    },
    validate,
    validateUpdate: (object, previous, context) => [
      ...(rules.changesOnly ? [] : validate(object, context)),
      ...(rules.validateUpdate?.(object, previous, context) ?? []),
    ],
    ...(rules.prepareForCreate && { prepareForCreate: rules.prepareForCreate }),
    ...(rules.prepareForUpdate && { prepareForUpdate: rules.prepareForUpdate }),
    ...(rules.afterDelete && { afterDelete: rules.afterDelete }),
    ...(rules.gracePeriodSeconds && { gracePeriodSeconds: rules.gracePeriodSeconds }),
    nameRule: rules.nameRule ?? 'subdomain',
    statusSubresource: facts.subresources.some(({ name }) => name === 'status'),
    hasGeneration: rules.hasGeneration ?? false,
    allowCreateOnUpdate: rules.allowCreateOnUpdate ?? false,
    allowUnconditionalUpdate: rules.allowUnconditionalUpdate ?? true,
    columns,
    cells: cellsOf(facts, columns, convert),
    ...(rules.fieldSelectors && { fieldSelectors: rules.fieldSelectors }),
    schema: { builtin: facts.definition },
  }
}

function emptyStatusOf(facts: ResourceFacts): (() => unknown) | undefined {
  const hasStatus = definitions()[facts.definition]?.properties?.['status'] !== undefined
  return hasStatus ? () => decodePart(facts.definition, {})['status'] : undefined
}

const NAME_AND_AGE: ResourceFacts['columns'] = [
  ['Name', 'string', 'name', 0],
  ['Age', 'string', '', 0],
]

function columnsOf(facts: ResourceFacts): TableColumn[] {
  const columns = facts.columns.length > 0 ? facts.columns : NAME_AND_AGE
  return columns.map(([name, type, format, priority]) => ({ name, type, format, description: '', priority }))
}

/** Rows know the stored version; others are converted first. */
function cellsOf(
  facts: ResourceFacts,
  columns: readonly TableColumn[],
  convert: Conversion | undefined,
): Strategy['cells'] {
  const row = rowOf(storageOf(facts).group, facts.kind)
  if (row === undefined) return plainCells(columns)
  if (convert === undefined) return row
  return (object, now) => row(convert.toStorage(object), now)
}

/** For kinds without a row of their own: the name, the age, and nothing in between. */
function plainCells(columns: readonly TableColumn[]): Strategy['cells'] {
  return (object: Readonly<KubeObject>, now) =>
    columns.map(({ name }) => {
      if (name === 'Name') return object.metadata.name ?? ''
      return name === 'Age' ? age(object.metadata.creationTimestamp, now) : '<unknown>'
    })
}
