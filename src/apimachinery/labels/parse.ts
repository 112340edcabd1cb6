/**
 * The text form of label selectors: `app=web,tier in (a,b),!legacy,size>3`.
 *
 * A scanner and a parser of one token look-ahead. `in` and `notin` are words of the language only where an
 * operator may stand; elsewhere they are ordinary keys and values.
 */
import { badRequest } from '../errors/index.js'
import { type Operator, type Requirement, requirementFault, Selector } from './selector.js'

type TokenKind = 'end' | 'word' | 'symbol' | 'error'

interface Token {
  kind: TokenKind
  text: string
}

const SYMBOLS = new Set(['!', '=', '==', '!=', '(', ')', ',', '>', '<'])
const SPECIAL = /[=!(),<>]/
const SPACE = /[ \t\r\n]/

/** @throws StatusError 400, worded as Kubernetes words it */
export function parseSelector(text: string): Selector {
  try {
    return new Selector(new Parser(scan(text)).requirements())
  } catch (error) {
    if (error instanceof SyntaxFault) throw badRequest(error.message)
    throw error
  }
}

class SyntaxFault extends Error {}

function scan(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    const char = text.charAt(at)
    if (SPACE.test(char)) {
      at++
    } else if (SPECIAL.test(char)) {
      const two = text.slice(at, at + 2)
      const symbol = SYMBOLS.has(two) ? two : char
      tokens.push({ kind: 'symbol', text: symbol })
      at += symbol.length
    } else {
      const start = at
      while (at < text.length && !SPECIAL.test(text.charAt(at)) && !SPACE.test(text.charAt(at))) at++
      tokens.push({ kind: 'word', text: text.slice(start, at) })
    }
  }
  return tokens
}

const END: Token = { kind: 'end', text: '' }

class Parser {
  #at = 0
  constructor(private readonly tokens: readonly Token[]) {}

  requirements(): Requirement[] {
    const found: Requirement[] = []
    let token = this.peek()
    if (token.kind === 'end') return found
    if (token.kind !== 'word' && token.text !== '!') {
      throw new SyntaxFault(`found '${token.text}', expected: !, identifier, or 'end of string'`)
    }
    for (;;) {
      found.push(this.requirement())
      token = this.next()
      if (token.kind === 'end') return found
      if (token.text !== ',' || token.kind !== 'symbol') {
        throw new SyntaxFault(`found '${token.text}', expected: ',' or 'end of string'`)
      }
      token = this.peek()
      if (token.kind !== 'word' && token.text !== '!') {
        throw new SyntaxFault(`found '${token.text}', expected: identifier after ','`)
      }
    }
  }

  private peek(): Token {
    return this.tokens[this.#at] ?? END
  }

  private next(): Token {
    const token = this.peek()
    this.#at++
    return token
  }

  private requirement(): Requirement {
    try {
      return this.checkedRequirement()
    } catch (error) {
      if (error instanceof SyntaxFault) {
        throw new SyntaxFault(`unable to parse requirement: ${error.message}`)
      }
      throw error
    }
  }

  private checkedRequirement(): Requirement {
    let token = this.next()
    const negated = token.text === '!' && token.kind === 'symbol'
    if (negated) token = this.next()
    if (token.kind !== 'word') throw new SyntaxFault(`found '${token.text}', expected: identifier`)
    const key = token.text
    const after = this.peek()
    if (negated) return checked({ key, operator: '!', values: [] })
    if (after.kind === 'end' || after.text === ',') return checked({ key, operator: 'exists', values: [] })
    checked({ key, operator: 'exists', values: [] }) // A bad key is told before a bad operator.
    const operator = this.operator()
    const values = operator === 'in' || operator === 'notin' ? this.list() : [this.exactValue()]
    return checked({ key, operator, values })
  }

  private operator(): Operator {
    const { text } = this.next()
    switch (text) {
      case '=':
      case '==':
      case '!=':
      case 'in':
      case 'notin':
        return text
      case '>':
        return 'gt'
      case '<':
        return 'lt'
      default:
        throw new SyntaxFault(`found '${text}', expected: '=', '!=', '==', 'in', notin'`)
    }
  }

  private exactValue(): string {
    const token = this.peek()
    if (token.kind === 'end' || token.text === ',') return ''
    this.next()
    if (token.kind !== 'word') throw new SyntaxFault(`found '${token.text}', expected: identifier`)
    return token.text
  }

  /** `(a, b)`; an empty place between commas is the empty value. */
  private list(): string[] {
    const open = this.next()
    if (open.text !== '(') throw new SyntaxFault(`found '${open.text}' expected: '('`)
    const first = this.peek()
    if (first.text === ')') {
      this.next()
      return []
    }
    if (first.kind !== 'word' && first.text !== ',') {
      throw new SyntaxFault(`found '${first.text}', expected: ',', ')' or identifier`)
    }
    const values = new Set<string>()
    for (;;) {
      const token = this.peek()
      if (token.kind === 'word') {
        values.add(this.next().text)
        const separator = this.next()
        if (separator.text === ')') break
        if (separator.text !== ',') {
          throw new SyntaxFault(`found '${separator.text}', expected: ',' or ')'`)
        }
        if (this.peek().text === ')') values.add('')
      } else if (token.text === ',') {
        values.add('')
        this.next()
        if (this.peek().text === ')') values.add('')
      } else if (token.text === ')') {
        this.next()
        break
      } else {
        throw new SyntaxFault(`found '${token.text}', expected: ',', or identifier`)
      }
    }
    return [...values].sort()
  }
}

function checked(requirement: Requirement): Requirement {
  const fault = requirementFault(requirement)
  if (fault !== undefined) throw new SyntaxFault(fault)
  return requirement
}
