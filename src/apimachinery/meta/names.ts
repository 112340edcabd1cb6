/**
 * Rules for names, keys and values, each a function from text to its faults (none when it is fine), in the
 * words of Kubernetes.
 */

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const LABEL_VALUE = `(${QUALIFIED})?`

const whole = (pattern: string): RegExp => new RegExp(`^${pattern}$`)
const subdomain = whole(SUBDOMAIN)
const label = whole(LABEL)
const label1035 = whole(LABEL_1035)
const qualified = whole(QUALIFIED)
const labelValue = whole(LABEL_VALUE)

const SUBDOMAIN_TEXT = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`
const LABEL_TEXT = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL}')`
const LABEL_1035_TEXT = `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${LABEL_1035}')`
const QUALIFIED_TEXT = `must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED}')`
const LABEL_VALUE_TEXT = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '${LABEL_VALUE}')`

function check(text: string, limit: number, pattern: RegExp, fault: string): string[] {
  const faults: string[] = []
  if (text.length > limit) faults.push(`must be no more than ${limit} characters`)
  if (!pattern.test(text)) faults.push(fault)
  return faults
}

/** RFC 1123 subdomain: most names. */
export const subdomainFaults = (text: string): string[] => check(text, 253, subdomain, SUBDOMAIN_TEXT)
/** RFC 1123 label: namespaces. */
export const labelFaults = (text: string): string[] => check(text, 63, label, LABEL_TEXT)
/** RFC 1035 label: Services. */
export const serviceNameFaults = (text: string): string[] => check(text, 63, label1035, LABEL_1035_TEXT)
export const labelValueFaults = (text: string): string[] => check(text, 63, labelValue, LABEL_VALUE_TEXT)

/** Anything that can stand alone between two slashes of a path: RBAC names. */
export function pathSegmentFaults(text: string): string[] {
  if (text === '.' || text === '..') return [`may not be '${text}'`]
  return ['/', '%'].filter((mark) => text.includes(mark)).map((mark) => `may not contain '${mark}'`)
}

/** `name` or `prefix.example.com/name`: keys of labels and annotations, finalizers, conditions. */
export function qualifiedNameFaults(text: string): string[] {
  const parts = text.split('/')
  const name = parts.at(-1) ?? ''
  const faults: string[] = []
  if (parts.length === 2) {
    if (parts[0] === '') faults.push('prefix part must be non-empty')
    else faults.push(...subdomainFaults(parts[0] ?? '').map((fault) => `prefix part ${fault}`))
  } else if (parts.length > 2) {
    return [
      `a qualified name ${QUALIFIED_TEXT} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  if (name === '') faults.push('name part must be non-empty')
  else if (name.length > 63) faults.push('name part must be no more than 63 characters')
  if (!qualified.test(name)) faults.push(`name part ${QUALIFIED_TEXT}`)
  return faults
}

export type NameRule = 'subdomain' | 'label' | 'service' | 'path-segment'

const RULES: Record<NameRule, (text: string) => string[]> = {
  subdomain: subdomainFaults,
  label: labelFaults,
  service: serviceNameFaults,
  'path-segment': pathSegmentFaults,
}

export function nameFaults(rule: NameRule, text: string): string[] {
  return RULES[rule](text)
}

/** A `generateName` may end in a dash, which the random suffix then follows. */
export function generateNameFaults(rule: NameRule, base: string): string[] {
  const shown = base.length > 1 && base.endsWith('-') ? `${base.slice(0, -2)}a` : base
  return nameFaults(rule, shown)
}
