/**
 * Conditions of rules for Events: `event.type="Warning" and event.count>3`.
 *
 *     or    = and { "or" and }
 *     and   = not { "and" not }
 *     not   = ( "not" | "!" ) not | "(" or ")" | test
 *     test  = field [ operator value ]
 *
 * A field that an Event lacks is the empty text, and no number.
 */
import { RE2JS } from 're2js'
import { fieldOf } from './fields.js'
import { type Token, tokens } from './tokens.js'

export type Condition = (event: object) => boolean

type Value = string | number | boolean
type Test = (field: unknown, value: Value) => boolean

/** @throws Error with what is wrong, and where */
export function parseCondition(text: string): Condition {
  const reader = new Reader(tokens(text))
  const condition = disjunction(reader)
  reader.end()
  return condition
}

const DEEPEST = 50

class Reader {
  #at = 0
  #depth = 0

  constructor(private readonly all: readonly Token[]) {}

  peek(): Token | undefined {
    return this.all[this.#at]
  }

  isNext(...words: string[]): boolean {
    return words.every((word, ahead) => {
      const token = this.all[this.#at + ahead]
      return token?.kind === 'word' && token.text === word
    })
  }

  /** Takes these words if they are next. */
  accept(...words: string[]): boolean {
    if (!this.isNext(...words)) return false
    this.#at += words.length
    return true
  }

  demand(word: string): void {
    if (!this.accept(word)) throw this.unexpected(`"${word}"`)
  }

  next(wanted: string): Token {
    const token = this.all[this.#at++]
    if (!token) throw new Error(`${wanted} is expected at the end`)
    return token
  }

  end(): void {
    if (this.peek()) throw this.unexpected('the end')
  }

  unexpected(wanted: string): Error {
    const token = this.peek()
    return new Error(token ? `${wanted} is expected at ${token.at}` : `${wanted} is expected at the end`)
  }

  nested<T>(read: () => T): T {
    if (++this.#depth > DEEPEST) throw new Error('it is nested too deeply')
    const result = read()
    this.#depth--
    return result
  }
}

function disjunction(reader: Reader): Condition {
  const all = [conjunction(reader)]
  while (reader.accept('or')) all.push(conjunction(reader))
  return all.length === 1 ? (all[0] as Condition) : (event) => all.some((one) => one(event))
}

function conjunction(reader: Reader): Condition {
  const all = [negation(reader)]
  while (reader.accept('and')) all.push(negation(reader))
  return all.length === 1 ? (all[0] as Condition) : (event) => all.every((one) => one(event))
}

function negation(reader: Reader): Condition {
  return reader.nested(() => {
    if (reader.accept('not') || reader.accept('!')) {
      const negated = negation(reader)
      return (event) => !negated(event)
    }
    if (!reader.accept('(')) return comparison(reader)
    const inner = disjunction(reader)
    reader.demand(')')
    return inner
  })
}

const ORDERED: Record<string, (field: number, value: number) => boolean> = {
  '>': (field, value) => field > value,
  '<': (field, value) => field < value,
  '>=': (field, value) => field >= value,
  '<=': (field, value) => field <= value,
}

function comparison(reader: Reader): Condition {
  const name = reader.next('a field')
  if (name.kind !== 'word' || !/^[a-z_]/i.test(name.text))
    throw new Error(`a field is expected at ${name.at}`)
  const field = fieldOf(name.text)
  if (reader.accept('exists')) return (event) => field(event) !== undefined
  if (reader.accept('not', 'exists')) return (event) => field(event) === undefined

  const isNegated = reader.accept('not')
  for (const [word, compile] of Object.entries(MATCHES))
    if (reader.accept(word)) {
      const matches = compile(reader)
      return (event) => matches(field(event)) !== isNegated
    }
  if (isNegated) throw reader.unexpected('"contains", "in", "like", "regexp" or "exists"')

  if (reader.accept('=')) return tested(field, equals, valueOf(reader))
  if (reader.accept('!=')) return tested(field, (one, other) => !equals(one, other), valueOf(reader))
  for (const [word, compare] of Object.entries(ORDERED))
    if (reader.accept(word)) {
      const value = valueOf(reader)
      return tested(field, typeof value === 'number' ? numbers(compare) : texts(compare), value)
    }
  return (event) => field(event) === true || field(event) === 'true'
}

const tested =
  (field: (event: object) => unknown, test: Test, value: Value): Condition =>
  (event) =>
    test(field(event), value)

const equals: Test = (field, value) => (typeof value === 'string' ? textOf(field) === value : field === value)

const numbers =
  (compare: (field: number, value: number) => boolean): Test =>
  (field, value) =>
    typeof field === 'number' && compare(field, value as number)

/** Times are compared as texts. */
const texts =
  (compare: (field: number, value: number) => boolean): Test =>
  (field, value) => {
    const [one, other] = [textOf(field), String(value)]
    return compare(one < other ? -1 : one > other ? 1 : 0, 0)
  }

const textOf = (field: unknown): string =>
  typeof field === 'string'
    ? field
    : typeof field === 'number' || typeof field === 'boolean'
      ? `${field}`
      : ''

/** Word → what follows it, compiled. */
const MATCHES: Record<string, (reader: Reader) => (field: unknown) => boolean> = {
  contains(reader) {
    const part = String(valueOf(reader))
    return (field) => textOf(field).includes(part)
  },
  in(reader) {
    reader.demand('(')
    const values = [valueOf(reader)]
    while (reader.accept(',')) values.push(valueOf(reader))
    reader.demand(')')
    return (field) => values.some((value) => equals(field, value))
  },
  /** `*` stands for any text, `?` for any letter. */
  like(reader) {
    const glob = String(valueOf(reader))
    const parts = glob.replace(/[*?]|[^*?]+/g, (part) =>
      part === '*' ? '.*' : part === '?' ? '.' : RE2JS.quote(part),
    )
    const pattern = RE2JS.compile(parts, RE2JS.DOTALL)
    return (field) => pattern.matches(textOf(field))
  },
  regexp(reader) {
    const pattern = RE2JS.compile(String(valueOf(reader)))
    return (field) => pattern.matcher(textOf(field)).find()
  },
}

function valueOf(reader: Reader): Value {
  const token = reader.next('a value')
  if (token.kind === 'text') return token.text
  if (/^-?\d+(\.\d+)?$/.test(token.text)) return Number(token.text)
  if (/^(true|false)$/i.test(token.text)) return token.text.toLowerCase() === 'true'
  throw new Error(`a text in quotes, a number, true or false is expected at ${token.at}`)
}
