/** Reads the small part of the shell language that commands of containers are written in. */

/** Pieces of a word; variables are filled in when it is used. */
export type Piece = { text: string } | { variable: string }
export type Word = readonly Piece[]

export type Statement =
  | { kind: 'command'; words: readonly Word[]; pipedInto: boolean }
  | { kind: 'and' | 'or'; left: Statement; right: Statement }
  | { kind: 'loop'; until: boolean; condition: readonly Statement[]; body: readonly Statement[] }
  | { kind: 'for'; variable: string; words: readonly Word[]; body: readonly Statement[] }
  | { kind: 'if'; condition: readonly Statement[]; then: readonly Statement[]; else: readonly Statement[] }

type Token = { word: Word; bare: string | undefined } | { operator: string }

const OPERATORS = ['&&', '||', ';;', ';', '|', '&', '\n', '(', ')', '{', '}']

/** Begins the word that a redirection is, before its file descriptor, operator and target. */
export const REDIRECTION = '\uE000'

export class NotUnderstood extends Error {}

/** @throws NotUnderstood for what is beyond it */
export function parseScript(text: string): Statement[] {
  const parser = new Parser(tokensOf(text))
  return parser.all()
}

class Parser {
  #at = 0

  constructor(private readonly tokens: readonly Token[]) {}

  all(): Statement[] {
    const statements = this.#list([])
    if (this.#at < this.tokens.length) throw new NotUnderstood('the script does not end where it should')
    return statements
  }

  #bare(): string | undefined {
    const token = this.tokens[this.#at]
    return token && 'bare' in token ? token.bare : undefined
  }

  #operator(): string | undefined {
    const token = this.tokens[this.#at]
    return token && 'operator' in token ? token.operator : undefined
  }

  #skipSeparators(): void {
    while ([';', '\n', '&'].includes(this.#operator() ?? '')) this.#at++
  }

  /** Up to one of the words, which is left to the caller. */
  #list(ends: readonly string[]): Statement[] {
    const statements: Statement[] = []
    for (;;) {
      this.#skipSeparators()
      const operator = this.#operator()
      if (this.#at >= this.tokens.length || operator === ')' || operator === '}') return statements
      if (ends.includes(this.#bare() ?? '')) return statements
      statements.push(this.#chain())
    }
  }

  #chain(): Statement {
    let left = this.#statement()
    for (;;) {
      const operator = this.#operator()
      if (operator !== '&&' && operator !== '||') return left
      this.#at++
      while (this.#operator() === '\n') this.#at++
      left = { kind: operator === '&&' ? 'and' : 'or', left, right: this.#statement() }
    }
  }

  #expect(word: string): void {
    if (this.#bare() !== word) throw new NotUnderstood(`${word} is missing`)
    this.#at++
  }

  #statement(): Statement {
    const operator = this.#operator()
    if (operator === '(' || operator === '{') return this.#group(operator === '(' ? ')' : '}')
    const word = this.#bare()
    if (word === 'while' || word === 'until') {
      this.#at++
      const condition = this.#list(['do'])
      return { kind: 'loop', until: word === 'until', condition, body: this.#body() }
    }
    if (word === 'for') return this.#for()
    if (word === 'if') return this.#if()
    return this.#command()
  }

  #group(end: string): Statement {
    this.#at++
    const inner = this.#list([])
    if (this.#operator() !== end) throw new NotUnderstood(`${end} is missing`)
    this.#at++
    return { kind: 'if', condition: [], then: inner, else: [] }
  }

  #body(): Statement[] {
    this.#expect('do')
    const body = this.#list(['done'])
    this.#expect('done')
    return body
  }

  #for(): Statement {
    this.#at++
    const variable = this.#bare() ?? ''
    this.#at++
    this.#expect('in')
    const words: Word[] = []
    for (let token = this.tokens[this.#at]; token && 'word' in token; token = this.tokens[++this.#at]) {
      words.push(token.word)
    }
    this.#skipSeparators()
    return { kind: 'for', variable, words, body: this.#body() }
  }

  #if(): Statement {
    this.#at++
    const condition = this.#list(['then'])
    this.#expect('then')
    const then = this.#list(['else', 'elif', 'fi'])
    if (this.#bare() === 'elif') return { kind: 'if', condition, then, else: [this.#if()] }
    let otherwise: Statement[] = []
    if (this.#bare() === 'else') {
      this.#at++
      otherwise = this.#list(['fi'])
    }
    this.#expect('fi')
    return { kind: 'if', condition, then, else: otherwise }
  }

  /** Of a pipe the first command counts; the others are taken to pass its output on. */
  #command(): Statement {
    const words: Word[] = []
    for (let token = this.tokens[this.#at]; token && 'word' in token; token = this.tokens[++this.#at]) {
      words.push(token.word)
    }
    if (words.length === 0) throw new NotUnderstood('a command is missing')
    const pipedInto = this.#operator() === '|'
    if (pipedInto) {
      this.#at++
      this.#command()
    }
    return { kind: 'command', words, pipedInto }
  }
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  let pieces: Piece[] | undefined
  let quoted = false
  const push = (piece: Piece): void => {
    pieces ??= []
    const last = pieces.at(-1)
    if (last && 'text' in last && 'text' in piece) last.text += piece.text
    else pieces.push(piece)
  }
  const endWord = (): void => {
    if (!pieces) return
    const [only] = pieces
    const isBare = !quoted && pieces.length === 1 && only && 'text' in only
    tokens.push({ word: pieces, bare: isBare ? only.text : undefined })
    pieces = undefined
    quoted = false
  }
  for (let at = 0; at < text.length;) {
    const char = text.charAt(at)
    if (char === ' ' || char === '\t' || (char === '\\' && text[at + 1] === '\n')) {
      endWord()
      at += char === '\\' ? 2 : 1
    } else if (char === '#' && !pieces) {
      while (at < text.length && text[at] !== '\n') at++
    } else if (char === "'") {
      const end = text.indexOf("'", at + 1)
      if (end < 0) throw new NotUnderstood('a quote is not closed')
      push({ text: text.slice(at + 1, end) })
      quoted = true
      at = end + 1
    } else if (char === '"') {
      at = doubleQuoted(text, at + 1, push)
      quoted = true
    } else if (char === '$') {
      at = variable(text, at, push)
    } else if (char === '\\') {
      push({ text: text.charAt(at + 1) })
      at += 2
    } else if (
      (char === '>' || char === '<' || /\d/.test(char)) &&
      /^\d*[<>]/.test(text.slice(at)) &&
      !pieces
    ) {
      const redirection = /^\d*[<>]+&?\d*\s*/.exec(text.slice(at))?.[0] ?? char
      at += redirection.length
      push({ text: `${REDIRECTION}${redirection.trim()}` })
      if (/&\d/.test(redirection)) endWord()
    } else {
      const braces = (char === '{' || char === '}') && pieces
      const operator = braces ? undefined : OPERATORS.find((each) => text.startsWith(each, at))
      if (operator === undefined) {
        push({ text: char })
        at++
      } else {
        endWord()
        tokens.push({ operator })
        at += operator.length
      }
    }
  }
  endWord()
  return tokens
}

function doubleQuoted(text: string, from: number, push: (piece: Piece) => void): number {
  push({ text: '' })
  for (let at = from; at < text.length;) {
    const char = text.charAt(at)
    if (char === '"') return at + 1
    if (char === '\\' && '"\\$`'.includes(text.charAt(at + 1))) {
      push({ text: text.charAt(at + 1) })
      at += 2
    } else if (char === '$') at = variable(text, at, push)
    else {
      push({ text: char })
      at++
    }
  }
  throw new NotUnderstood('a quote is not closed')
}

function variable(text: string, at: number, push: (piece: Piece) => void): number {
  const found = /^\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+)|([?#@*$]))/.exec(text.slice(at))
  if (found) {
    push({ variable: found[1] ?? found[3] ?? found[4] ?? '' })
    return at + found[0].length
  }
  const command = /^\$\(([^()]*)\)/.exec(text.slice(at))
  if (command) {
    push({ variable: `(${command[1] ?? ''}` })
    return at + command[0].length
  }
  push({ text: '$' })
  return at + 1
}
