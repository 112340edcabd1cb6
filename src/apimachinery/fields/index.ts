/**
 * Field selectors: `metadata.name=a,status.phase!=Running`.
 *
 * Which fields a kind offers is for the caller to check. `\\`, `\,` and `\=` stand for the character itself.
 */
import { badRequest } from '../errors/index.js'

export interface FieldRequirement {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

export class FieldSelector {
  constructor(readonly requirements: readonly FieldRequirement[]) {}

  get isEmpty(): boolean {
    return this.requirements.length === 0
  }

  /** @param valueOf the value of a field; absent fields are "" */
  matches(valueOf: (field: string) => string): boolean {
    return this.requirements.every(
      ({ field, operator, value }) => (valueOf(field) === value) === (operator === '='),
    )
  }

  /** The value that `field` must have, when one requirement says so. */
  exact(field: string): string | undefined {
    return this.requirements.find((each) => each.field === field && each.operator === '=')?.value
  }

  toString(): string {
    return this.requirements
      .map(({ field, operator, value }) => `${field}${operator}${escape(value)}`)
      .join(',')
  }
}

const escape = (value: string): string => value.replace(/[\\,=]/g, '\\$&')

/** @throws StatusError 400 */
export function parseFieldSelector(text: string): FieldSelector {
  const terms = splitTerms(text).filter((term) => term !== '')
  return new FieldSelector(terms.map((term) => parseTerm(term, text)))
}

/** Cuts at commas that are not escaped. */
function splitTerms(text: string): string[] {
  const terms: string[] = []
  let start = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === ',') {
      terms.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...terms, text.slice(start)]
}

const OPERATORS = ['!=', '==', '='] as const

function parseTerm(term: string, selector: string): FieldRequirement {
  for (let at = 0; at < term.length; at++) {
    const operator = OPERATORS.find((each) => term.startsWith(each, at))
    if (operator !== undefined) {
      return {
        field: term.slice(0, at),
        operator: operator === '!=' ? '!=' : '=',
        value: unescape(term.slice(at + operator.length)),
      }
    }
  }
  throw badRequest(`invalid selector: '${selector}'; can't understand '${term}'`)
}

function unescape(value: string): string {
  let result = ''
  for (let at = 0; at < value.length; at++) {
    const char = value.charAt(at)
    if (char === '\\') {
      const next = value.charAt(++at)
      if (next === '') throw badRequest(`invalid field selector: invalid escape sequence in value: ${value}`)
      if (!'\\,='.includes(next)) {
        throw badRequest(`invalid field selector: invalid escape sequence in value: \\${next}`)
      }
      result += next
    } else if (char === ',' || char === '=') {
      throw badRequest(`invalid field selector: unescaped character in value: ${char}`)
    } else result += char
  }
  return result
}
