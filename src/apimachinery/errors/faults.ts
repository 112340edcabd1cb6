/**
 * Faults of fields in Kubernetes' words: what `field.Error` of the original prints.
 *
 * Values are shown as Go shows them: strings quoted, numbers and booleans bare, and structures in Go syntax,
 * which a caller that knows the Go type passes ready-made as `goSyntax(text)`.
 */
import { type FieldFault } from './index.js'

class GoSyntax {
  constructor(readonly text: string) {}
}

/** A value that is printed as it stands, such as `map[string]string{"app":"x"}`. */
export function goSyntax(text: string): unknown {
  return new GoSyntax(text)
}

/** `[]string{"a", "b"}` */
export function goStrings(texts: readonly string[]): unknown {
  return new GoSyntax(`[]string{${texts.map(quoted).join(', ')}}`)
}

/** `map[string]string{"a":"b"}`, keys sorted. */
export function goStringMap(map: Readonly<Record<string, string>>): unknown {
  const entries = Object.keys(map)
    .sort()
    .map((key) => `${quoted(key)}:${quoted(map[key] ?? '')}`)
  return new GoSyntax(`map[string]string{${entries.join(', ')}}`)
}

/** A JSON value as Go's `%#v` prints it once decoded into `interface{}`: `map[string]interface {}{"a":1}`. */
export function goJson(value: unknown): string {
  if (value instanceof GoSyntax) return value.text
  if (value === null || value === undefined) return 'interface {}(nil)'
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return `[]interface {}{${value.map(goJson).join(', ')}}`
  if (typeof value === 'object') {
    const map = value as Record<string, unknown>
    const entries = Object.keys(map)
      .sort()
      .map((key) => `${quoted(key)}:${goJson(map[key])}`)
    return `map[string]interface {}{${entries.join(', ')}}`
  }
  return printed(value)
}

/** A JSON value as Go's `%v` prints it: `map[image:z]`, `[a b]`, `<nil>`. */
export function goPlain(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return `[${value.map(goPlain).join(' ')}]`
  if (typeof value === 'object') {
    const map = value as Record<string, unknown>
    const entries = Object.keys(map)
      .sort()
      .map((key) => `${key}:${goPlain(map[key])}`)
    return `map[${entries.join(' ')}]`
  }
  return printed(value)
}

/** A JSON value in the place of a bad value in a message. */
export function printed(value: unknown): string {
  if (value === null || value === undefined) return '"null"'
  if (value instanceof GoSyntax) return value.text
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'object') return goJson(value)
  if (typeof value === 'number') return goNumber(value)
  return typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : 'null'
}

/** Go prints floats with an exponent from 1e+21 and whole numbers plainly; so does JavaScript, nearly. */
function goNumber(value: number): string {
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2')
}

/** `%q`: JSON's quoting is the same but for control and non-printable characters. */
export function quoted(text: string): string {
  return JSON.stringify(text).replace(/\\u00([01][0-9a-f]|7f)/g, '\\x$1')
}

const withDetail = (text: string, detail: string): string => (detail === '' ? text : `${text}: ${detail}`)

export function required(field: string, detail = ''): FieldFault {
  return { reason: 'FieldValueRequired', field, message: withDetail('Required value', detail) }
}

export function invalidValue(field: string, value: unknown, detail: string): FieldFault {
  return {
    reason: 'FieldValueInvalid',
    field,
    message: withDetail(`Invalid value: ${printed(value)}`, detail),
  }
}

export function unsupportedValue(field: string, value: unknown, supported: readonly string[]): FieldFault {
  const list = supported.map(quoted).join(', ')
  return {
    reason: 'FieldValueNotSupported',
    field,
    message: withDetail(
      `Unsupported value: ${printed(value)}`,
      list === '' ? '' : `supported values: ${list}`,
    ),
  }
}

export function duplicateValue(field: string, value: unknown): FieldFault {
  return { reason: 'FieldValueDuplicate', field, message: `Duplicate value: ${printed(value)}` }
}

export function forbiddenField(field: string, detail: string): FieldFault {
  return { reason: 'FieldValueForbidden', field, message: withDetail('Forbidden', detail) }
}

export function tooLongValue(field: string, limitBytes: number): FieldFault {
  return {
    reason: 'FieldValueTooLong',
    field,
    message: `Too long: must have at most ${limitBytes} bytes`,
  }
}
