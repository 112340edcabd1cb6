/** Rules for names, and names made by the server. */
import { type FieldFault } from '../../apimachinery/errors/index.js'
import { type Strategy } from './strategy.js'

export interface Random {
  uuid(): string
  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number
}

/** No vowels and no look-alikes, so that no words come out. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const SUFFIX_LENGTH = 5
const BASE_LIMIT = 63 - SUFFIX_LENGTH

/** `generateName` and five letters; the base is cut so that the whole fits a label. */
export function generatedName(base: string, random: Random): string {
  let suffix = ''
  for (let i = 0; i < SUFFIX_LENGTH; i++) suffix += ALPHABET[random.below(ALPHABET.length)]
  return base.slice(0, BASE_LIMIT) + suffix
}

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'

const SUBDOMAIN_TEXT = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`
const LABEL_TEXT = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL}')`
const LABEL_1035_TEXT = `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${LABEL_1035}')`

const subdomainPattern = new RegExp(`^${SUBDOMAIN}$`)
const labelPattern = new RegExp(`^${LABEL}$`)
const label1035Pattern = new RegExp(`^${LABEL_1035}$`)

function lengthFault(text: string, limit: number): string[] {
  return text.length > limit ? [`must be no more than ${limit} characters`] : []
}

export function subdomainFaults(name: string): string[] {
  return [...lengthFault(name, 253), ...(subdomainPattern.test(name) ? [] : [SUBDOMAIN_TEXT])]
}

function labelFaults(name: string): string[] {
  return [...lengthFault(name, 63), ...(labelPattern.test(name) ? [] : [LABEL_TEXT])]
}

function serviceFaults(name: string): string[] {
  return [...lengthFault(name, 63), ...(label1035Pattern.test(name) ? [] : [LABEL_1035_TEXT])]
}

function pathSegmentFaults(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`]
  return ['/', '%'].filter((mark) => name.includes(mark)).map((mark) => `may not contain '${mark}'`)
}

const RULES: Record<Strategy['nameRule'], (name: string) => string[]> = {
  subdomain: subdomainFaults,
  label: labelFaults,
  service: serviceFaults,
  'path-segment': pathSegmentFaults,
}

/** What is wrong with a name; a prefix (generateName) may end in dashes. */
export function nameFaults(rule: Strategy['nameRule'], name: string, prefix = false): string[] {
  const checked = prefix && name.endsWith('-') ? `${name.slice(0, -1)}a` : name
  return RULES[rule](checked)
}

const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const qualifiedPattern = new RegExp(`^${QUALIFIED}$`)
const QUALIFIED_TEXT = `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED}')`
const LABEL_VALUE = `(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?`
const labelValuePattern = new RegExp(`^${LABEL_VALUE}$`)
const LABEL_VALUE_TEXT = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '${LABEL_VALUE}')`

/** Keys of labels and annotations, finalizers: `name` or `sub.domain/name`. */
export function qualifiedNameFaults(key: string): string[] {
  const parts = key.split('/')
  if (parts.length > 2) {
    return [
      `a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED}') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const faults: string[] = []
  const name = parts[parts.length - 1] ?? ''
  if (parts.length === 2) {
    const prefix = parts[0] ?? ''
    if (prefix === '') faults.push('prefix part must be non-empty')
    else faults.push(...subdomainFaults(prefix).map((text) => `prefix part ${text}`))
  }
  if (name === '') faults.push('name part must be non-empty')
  else if (name.length > 63) faults.push('name part must be no more than 63 characters')
  if (!qualifiedPattern.test(name)) faults.push(QUALIFIED_TEXT)
  return faults
}

export function labelValueFaults(value: string): string[] {
  return [...lengthFault(value, 63), ...(labelValuePattern.test(value) ? [] : [LABEL_VALUE_TEXT])]
}

/** `Invalid value: "x": why`, as faults of a text field. */
export function invalidValue(field: string, value: string, why: string): FieldFault {
  return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: ${why}` }
}
