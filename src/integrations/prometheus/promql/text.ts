/** Strings and matchers of PromQL, written so that a value can never end the string it stands in. */

export type MatchOperator = '=' | '!=' | '=~' | '!~'

export interface Matcher {
  label: string
  operator: MatchOperator
  value: string
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

/** A quoted string; control characters are escaped too, whatever the lexer on the other side makes of them. */
export function quote(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is escaped
  const inner = text.replace(/[\u0000-\u001f"\\\u007f]/g, (char) => {
    const code = char.charCodeAt(0).toString(16).padStart(2, '0')
    return ESCAPES[char] ?? `\\x${code}`
  })
  return `"${inner}"`
}

export function matcherText({ label, operator, value }: Matcher): string {
  return label + operator + quote(value)
}

export const equal = (label: string, value: string): Matcher => ({ label, operator: '=', value })
export const unequal = (label: string, value: string): Matcher => ({ label, operator: '!=', value })
export const matching = (label: string, value: string): Matcher => ({ label, operator: '=~', value })

/** A regular expression that matches just this text. */
export function literally(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')
}
