/**
 * Says where a JSON text goes wrong, in the words that Go's decoder uses and clients have come to show.
 *
 * Runs only after `JSON.parse` has refused the text. A state is what may come next.
 */
type State = 'value' | 'arrayStart' | 'objectStart' | 'key' | 'afterKey' | 'afterValue' | 'done'

const SPACE = ' \t\r\n'
const LITERALS = ['true', 'false', 'null']
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const ENDED = 'unexpected EOF'

/** @returns the message; `EOF` for no text at all */
export function syntaxError(text: string): string {
  if (text.trim() === '') return 'EOF'
  const open: ('object' | 'array')[] = []
  let state: State = 'value'
  let at = 0
  for (;;) {
    while (at < text.length && SPACE.includes(text[at] as string)) at++
    const c = text[at]
    if (c === undefined) return ENDED
    if (state === 'done') return unexpected(c, 'after top-level value')

    if (state === 'afterValue') {
      const container = open[open.length - 1]
      if (c === ',') state = container === 'object' ? 'key' : 'value'
      else if (c === (container === 'object' ? '}' : ']')) {
        open.pop()
        state = open.length === 0 ? 'done' : 'afterValue'
      } else
        return unexpected(c, container === 'object' ? 'after object key:value pair' : 'after array element')
      at++
      continue
    }
    if (state === 'afterKey') {
      if (c !== ':') return unexpected(c, 'after object key')
      state = 'value'
      at++
      continue
    }
    if ((state === 'objectStart' && c === '}') || (state === 'arrayStart' && c === ']')) {
      open.pop()
      state = open.length === 0 ? 'done' : 'afterValue'
      at++
      continue
    }
    if (state === 'objectStart' || state === 'key') {
      if (c !== '"') return unexpected(c, 'looking for beginning of object key string')
      const end = endOfString(text, at)
      if (typeof end === 'string') return end
      at = end
      state = 'afterKey'
      continue
    }

    if (c === '{' || c === '[') {
      open.push(c === '{' ? 'object' : 'array')
      state = c === '{' ? 'objectStart' : 'arrayStart'
      at++
      continue
    }
    const end = endOfScalar(text, at, c)
    if (typeof end === 'string') return end
    at = end
    state = open.length === 0 ? 'done' : 'afterValue'
  }
}

/** @returns where the scalar ends, or what is wrong with it */
function endOfScalar(text: string, at: number, c: string): number | string {
  if (c === '"') return endOfString(text, at)
  const literal = LITERALS.find((word) => word[0] === c)
  if (literal !== undefined) {
    for (let i = 1; i < literal.length; i++) {
      const found = text[at + i]
      if (found === undefined) return ENDED
      if (found !== literal[i]) return unexpected(found, `in literal ${literal} (expecting '${literal[i]}')`)
    }
    return at + literal.length
  }
  NUMBER.lastIndex = at
  const number = NUMBER.exec(text)
  if (number) return at + number[0].length
  if (c === '-') {
    const after = text[at + 1]
    return after === undefined ? ENDED : unexpected(after, 'in numeric literal')
  }
  return unexpected(c, 'looking for beginning of value')
}

function endOfString(text: string, start: number): number | string {
  for (let at = start + 1; at < text.length; at++) {
    const c = text[at] as string
    if (c === '"') return at + 1
    if (c < ' ') return unexpected(c, 'in string literal')
    if (c !== '\\') continue
    at++
    const escaped = text[at]
    if (escaped === undefined) return ENDED
    if (escaped === 'u') {
      for (let i = 0; i < 4; i++) {
        at++
        const digit = text[at]
        if (digit === undefined) return ENDED
        if (!/[0-9a-fA-F]/.test(digit)) return unexpected(digit, 'in \\u hexadecimal character escape')
      }
    } else if (!'"\\/bfnrt'.includes(escaped)) return unexpected(escaped, 'in string escape code')
  }
  return ENDED
}

function unexpected(c: string, where: string): string {
  const quoted = c === "'" ? `'\\''` : c === '"' ? `'"'` : `'${JSON.stringify(c).slice(1, -1)}'`
  return `invalid character ${quoted} ${where}`
}
