/** The values of PromQL strings: Go's escapes in single and double quotes, none in backticks. */

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
}

const ESCAPE = /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|)/g

/** @returns undefined for what is no string, and for bytes that are no text */
export function unquote(literal: string): string | undefined {
  const quote = literal[0] ?? ''
  if (literal.length < 2 || !literal.endsWith(quote)) return undefined
  const inner = literal.slice(1, -1)
  if (quote === '`') return inner.includes('`') ? undefined : inner
  if (quote !== '"' && quote !== "'") return undefined
  let valid = !/\n/.test(inner) && !unescaped(inner, quote)
  const value = inner.replace(
    ESCAPE,
    (_, simple?: string, x?: string, u?: string, long?: string, octal?: string) => {
      if (simple !== undefined) {
        if ((simple === '"' || simple === "'") && simple !== quote) valid = false
        return SIMPLE[simple] ?? simple
      }
      const code = octal === undefined ? parseInt(x ?? u ?? long ?? '', 16) : parseInt(octal, 8)
      const isByte = x !== undefined || octal !== undefined
      const isSurrogate = code >= 0xd800 && code <= 0xdfff
      if (Number.isNaN(code) || code > 0x10ffff || isSurrogate || (isByte && code > 0x7f)) {
        valid = false
        return ''
      }
      return String.fromCodePoint(code)
    },
  )
  return valid ? value : undefined
}

function unescaped(inner: string, quote: string): boolean {
  return inner.replace(/\\./gs, '').includes(quote)
}
