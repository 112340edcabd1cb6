/**
 * Patterns of CRDs are written for RE2; this makes JavaScript expressions of them.
 *
 * Known differences are translated: leading flags `(?i)`, `\A`, `\z`, POSIX classes, named groups. What RE2
 * refuses (look-around, back-references) JavaScript accepts, but nothing stored may depend on that: such a
 * pattern is refused here as well.
 */

const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  digit: '0-9',
  lower: 'a-z',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
}

/** @throws SyntaxError */
export function compilePattern(pattern: string): RegExp {
  const leading = /^\(\?([imsU]+)\)/.exec(pattern)
  const flags = leading?.[1]?.replace('U', '') ?? ''
  const body = pattern
    .slice(leading?.[0].length ?? 0)
    .replace(/\\A/g, '^')
    .replace(/\\z/g, '$')
    .replace(/\(\?P</g, '(?<')
    .replace(/\[:(\w+):\]/g, (whole, name: string) => POSIX[name] ?? whole)
  if (/\(\?(?:[=!]|<[=!])/.test(body)) throw new SyntaxError('invalid or unsupported Perl syntax')
  if (/(?:^|[^\\])(?:\\\\)*\\[1-9]/.test(body)) throw new SyntaxError('invalid escape sequence')
  try {
    return new RegExp(body, `${flags}u`)
  } catch {
    return new RegExp(body, flags) // Escapes such as `\-` are errors in Unicode mode only.
  }
}
