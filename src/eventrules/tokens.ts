/** Cuts a condition into words, signs and texts in quotes. */

export interface Token {
  kind: 'word' | 'text'
  /** Of a text: what is between the quotes. */
  text: string
  /** Position in the condition, from 0. */
  at: number
}

const LONGEST = 4096
const TOKEN = /\s*(?:("(?:[^"\\]|\\.)*")|(!=|>=|<=|[=<>(),!])|(-?\d+(?:\.\d+)?(?![\w.])|[\w.-]+))/y

/** @throws Error with what is wrong, and where */
export function tokens(condition: string): Token[] {
  if (condition.length > LONGEST) throw new Error(`it is longer than ${LONGEST} letters`)
  const text = condition.trimEnd()
  const found: Token[] = []
  const pattern = new RegExp(TOKEN)
  while (pattern.lastIndex < text.length) {
    const from = pattern.lastIndex
    const match = pattern.exec(text)
    if (!match)
      throw new Error(`${JSON.stringify(text.slice(from, from + 10).trim())} at ${from} means nothing`)
    const [, quoted, sign, word] = match
    if (quoted === undefined) found.push({ kind: 'word', text: sign ?? word ?? '', at: from })
    else found.push({ kind: 'text', text: quoted.slice(1, -1).replace(/\\(["\\])/g, '$1'), at: from })
  }
  return found
}
