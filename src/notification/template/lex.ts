/** Cuts a Go template into text and actions, and actions into words. */

export type Piece = { text: string } | { action: Token[]; line: number }

export interface Token {
  kind: 'word' | 'field' | 'variable' | 'string' | 'number' | 'mark'
  text: string
}

export class TemplateError extends Error {
  override readonly name = 'TemplateError'
}

/** @throws TemplateError */
export function pieces(source: string): Piece[] {
  const found: Piece[] = []
  let at = 0
  let trimNext = false
  for (;;) {
    const open = source.indexOf('{{', at)
    let text = source.slice(at, open === -1 ? undefined : open)
    if (trimNext) text = text.trimStart()
    const trimsBefore = open !== -1 && /^\{\{-\s/.test(source.slice(open, open + 4))
    if (trimsBefore) text = text.trimEnd()
    if (text !== '') found.push({ text })
    if (open === -1) return found
    const line = source.slice(0, open).split('\n').length
    let start = open + 2 + (trimsBefore ? 1 : 0)
    const comment = /^\s*\/\*[^]*?\*\/\s*?(\s-)?\}\}/.exec(source.slice(start))
    if (comment) {
      at = start + comment[0].length
      trimNext = comment[1] !== undefined
      continue
    }
    const tokens: Token[] = []
    for (;;) {
      const closing = /^(?:\s+-\}\}|\s*\}\})/.exec(
        source.slice(start, start + 64).length > 0 ? source.slice(start) : '',
      )
      if (closing) {
        trimNext = closing[0].includes('-')
        at = start + closing[0].length
        break
      }
      const token = nextToken(source, start, line)
      if (token === undefined) throw new TemplateError(`line ${line}: unclosed action`)
      tokens.push(token.token)
      start = token.end
    }
    found.push({ action: tokens, line })
  }
}

const FORMS: readonly [Token['kind'], RegExp][] = [
  ['string', /"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\]|\\.)+'/y],
  ['number', /[+-]?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?/y],
  ['variable', /\$\w*(?:\.\w+)*/y],
  ['field', /(?:\.[A-Za-z_]\w*)+|\./y],
  ['word', /[A-Za-z_]\w*/y],
  ['mark', /:=|[=|(),]/y],
]
const SPACE = /\s*/y

function nextToken(source: string, from: number, line: number): { token: Token; end: number } | undefined {
  SPACE.lastIndex = from
  const spaces = SPACE.exec(source)?.[0].length ?? 0
  const start = from + spaces
  if (start >= source.length) return undefined
  for (const [kind, form] of FORMS) {
    form.lastIndex = start
    const match = form.exec(source)
    if (!match) continue
    let text = match[0]
    if (kind === 'string') text = unquoted(text)
    // A field that follows a closing bracket without a space belongs to what is in the brackets.
    if (kind === 'field' && spaces === 0 && source[start - 1] === ')') text = `)${text}`
    return { token: { kind, text }, end: start + match[0].length }
  }
  throw new TemplateError(`line ${line}: unexpected ${JSON.stringify(source[start])} in an action`)
}

function unquoted(text: string): string {
  if (text.startsWith('`')) return text.slice(1, -1)
  const body = text.slice(1, -1)
  try {
    const escaped = text.startsWith("'") ? body.replaceAll("\\'", "'").replaceAll('"', '\\"') : body
    return JSON.parse(
      `"${escaped
        .replace(/\\x([0-9a-fA-F]{2})/g, '\\u00$1')
        .replace(/\\a/g, '\\u0007')
        .replace(/\\v/g, '\\u000b')}"`,
    ) as string
  } catch {
    return body
  }
}
