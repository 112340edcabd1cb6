/**
 * The checks that many kinds share, each giving the faults of one field, in Kubernetes' words.
 */
import {
  forbiddenField as forbidden,
  goStringMap,
  goStrings,
  goSyntax,
  invalidValue,
  printed,
  required,
  unsupportedValue as unsupported,
} from '../../apimachinery/errors/faults.js'
import { type FieldFault } from '../../apimachinery/errors/index.js'
import { labelValueFaults, nameFaults, qualifiedNameFaults } from '../../apimachinery/meta/names.js'
import { type LabelSelector, type LabelSelectorRequirement, type StringMap } from './types.js'

export type Faults = FieldFault[]

export {
  duplicateValue as duplicate,
  forbiddenField as forbidden,
  goSyntax as go,
  invalidValue,
  required,
  tooLongValue as tooLong,
  unsupportedValue as unsupported,
} from '../../apimachinery/errors/faults.js'

export function notFoundValue(field: string, value: string): FieldFault {
  return { reason: 'FieldValueNotFound', field, message: `Not found: ${JSON.stringify(value)}` }
}

/** A map of texts, which may be nil. */
export function goMap(map: StringMap | undefined): unknown {
  return map === undefined ? goSyntax('map[string]string(nil)') : goStringMap(map)
}

/** A list of texts, which may be nil. */
export function goTexts(list: readonly string[] | undefined): unknown {
  return list === undefined ? goSyntax('[]string(nil)') : goStrings(list)
}

export function goSelector(selector: LabelSelector | null | undefined): unknown {
  if (!selector) return goSyntax('(*v1.LabelSelector)(nil)')
  const expressions = selector.matchExpressions
  const printedExpressions =
    expressions === undefined
      ? '[]v1.LabelSelectorRequirement(nil)'
      : `[]v1.LabelSelectorRequirement{${expressions.map(goRequirement).join(', ')}}`
  return goSyntax(
    `v1.LabelSelector{MatchLabels:${printed(goMap(selector.matchLabels))}, MatchExpressions:${printedExpressions}}`,
  )
}

function goRequirement({ key, operator, values }: LabelSelectorRequirement): string {
  const parts = [`Key:${printed(key)}`, `Operator:${printed(operator)}`, `Values:${printed(goTexts(values))}`]
  return `v1.LabelSelectorRequirement{${parts.join(', ')}}`
}

const NEGATIVE = 'must be greater than or equal to 0'

export function nonNegative(field: string, value: number | undefined): Faults {
  return value !== undefined && value < 0 ? [invalidValue(field, value, NEGATIVE)] : []
}

export function positive(field: string, value: number | undefined): Faults {
  return value !== undefined && value <= 0 ? [invalidValue(field, value, 'must be greater than 0')] : []
}

/** A port from 1 to 65535. */
export function portNumber(field: string, value: number): Faults {
  return value < 1 || value > 65535
    ? [invalidValue(field, value, 'must be between 1 and 65535, inclusive')]
    : []
}

const PORT_NAME = /^[-a-z0-9]+$/

/** IANA service names: what ports are called. */
export function portName(field: string, value: string): Faults {
  const faults: string[] = []
  if (value.length > 15) faults.push('must be no more than 15 characters')
  if (!PORT_NAME.test(value)) {
    faults.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  }
  if (!/[a-z]/.test(value)) faults.push('must contain at least one letter or number (a-z, 0-9)')
  if (value.includes('--')) faults.push('must not contain consecutive hyphens')
  if (/^-|-$/.test(value)) faults.push('must not begin or end with a hyphen')
  return faults.map((why) => invalidValue(field, value, why))
}

type NameRule = Parameters<typeof nameFaults>[0]

/**
 * Faults of a name of some other object or part.
 *
 * @param written as the client wrote it, where it is read otherwise
 */
export function name(rule: NameRule, field: string, value: string, written = value): Faults {
  return nameFaults(rule, value).map((why) => invalidValue(field, written, why))
}

/** A name that must be there. */
export function requiredName(rule: NameRule, field: string, value: string | undefined): Faults {
  return value === undefined || value === '' ? [required(field)] : name(rule, field, value)
}

export function oneOf(field: string, value: string | undefined, supported: readonly string[]): Faults {
  return value !== undefined && supported.includes(value) ? [] : [unsupported(field, value ?? '', supported)]
}

export function qualifiedName(field: string, value: string): Faults {
  return qualifiedNameFaults(value).map((why) => invalidValue(field, value, why))
}

export function labels(field: string, map: StringMap | undefined): Faults {
  return Object.entries(map ?? {}).flatMap(([key, value]) => [
    ...qualifiedName(field, key),
    ...labelValueFaults(value).map((why) => invalidValue(field, value, why)),
  ])
}

export function annotations(field: string, map: StringMap | undefined): Faults {
  return Object.keys(map ?? {}).flatMap((key) =>
    qualifiedNameFaults(key.toLowerCase()).map((why) => invalidValue(field, key, why)),
  )
}

export function labelSelector(field: string, selector: LabelSelector | null | undefined): Faults {
  if (!selector) return []
  return [
    ...labels(`${field}.matchLabels`, selector.matchLabels),
    ...(selector.matchExpressions ?? []).flatMap((requirement, index) =>
      selectorRequirement(`${field}.matchExpressions[${index}]`, requirement),
    ),
  ]
}

function selectorRequirement(field: string, { key, operator, values }: LabelSelectorRequirement): Faults {
  const faults: Faults = []
  const count = values?.length ?? 0
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (count === 0) {
        faults.push(required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
      }
      break
    case 'Exists':
    case 'DoesNotExist':
      if (count > 0) {
        faults.push(
          forbidden(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        )
      }
      break
    default:
      faults.push(invalidValue(`${field}.operator`, operator, 'not a valid selector operator'))
  }
  return [...faults, ...qualifiedName(`${field}.key`, key)]
}

/** Whether a selector can be worked with: what it compares are values that labels may have. */
export function isReadable(selector: LabelSelector | null | undefined): boolean {
  const values = (selector?.matchExpressions ?? []).flatMap((requirement) => requirement.values ?? [])
  return (
    labelSelector('', selector).length === 0 && values.every((value) => labelValueFaults(value).length === 0)
  )
}

/** Whether a selector picks an object with these labels; `null` picks nothing. */
export function selects(selector: LabelSelector | null | undefined, map: StringMap = {}): boolean {
  if (!selector) return false
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (map[key] !== value) return false
  }
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = Object.hasOwn(map, key) ? map[key] : undefined
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value)
      case 'NotIn':
        return value === undefined || !values.includes(value)
      case 'Exists':
        return value !== undefined
      default:
        return value === undefined
    }
  })
}

export function isEmptySelector(selector: LabelSelector | null | undefined): boolean {
  if (!selector) return false
  return (
    Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0
  )
}

/** Deep equality of JSON values; key order does not count. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>]
  const keys = Object.keys(left)
  if (keys.length !== Object.keys(right).length) return false
  return keys.every((key) => Object.hasOwn(right, key) && same(left[key], right[key]))
}

export function immutable(
  field: string,
  value: unknown,
  previous: unknown,
  printed: unknown = value,
): Faults {
  return same(value, previous) ? [] : [invalidValue(field, printed, 'field is immutable')]
}
