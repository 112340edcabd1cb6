/** What is wrong with an expression, and where, as Prometheus words it. */

export class PromqlError extends Error {
  override readonly name = 'PromqlError'

  /** `1:7: parse error: ...`, lines and columns from 1. */
  static at(source: string, offset: number, what: string): PromqlError {
    const before = source.slice(0, offset).split('\n')
    return new PromqlError(`${before.length}:${(before.at(-1)?.length ?? 0) + 1}: parse error: ${what}`)
  }
}

const OPENERS: Readonly<Record<string, string>> = {
  '(': 'left parenthesis',
  '{': 'left brace',
  '[': 'left bracket',
}
const CLOSERS: Readonly<Record<string, string>> = { ')': '(', '}': '{', ']': '[' }
const TOKENS = /"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|`[^`]*`?|#[^\n]*|[(){}[\]]/g

/** @param offset where the parser lost its way */
export function syntaxError(source: string, offset: number): PromqlError {
  const open: string[] = []
  for (const { 0: token, index } of source.matchAll(TOKENS)) {
    const [first = ''] = token
    if (`"'\``.includes(first)) {
      if (token.length < 2 || !token.endsWith(first))
        return PromqlError.at(source, index, 'unterminated quoted string')
    } else if (OPENERS[first] !== undefined) open.push(first)
    else if (CLOSERS[first] !== undefined && open.pop() !== CLOSERS[first])
      return PromqlError.at(source, index, `unexpected ${JSON.stringify(first)}`)
  }
  const last = open.at(-1)
  if (last === '{') return PromqlError.at(source, source.length, 'unexpected end of input inside braces')
  if (last !== undefined) return PromqlError.at(source, source.length, `unclosed ${OPENERS[last] ?? ''}`)
  const word = /^\s*(\S{1,40})/.exec(source.slice(offset))?.[1]
  return PromqlError.at(
    source,
    offset,
    word === undefined ? 'unexpected end of input' : `unexpected ${JSON.stringify(word)}`,
  )
}
