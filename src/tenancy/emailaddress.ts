/**
 * E-mail addresses of users: which texts are one, and when two are the same.
 *
 * Accepts what RFC 5322 calls a mailbox: `ann@example.com`, `Ann <ann@example.com>`. Quoted local parts and domain
 * literals are accepted, comments are not.
 */
const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\u0080-\\u{10ffff}-]+"
const DOTTED = `${ATOM}(?:\\.${ATOM})*`
const QUOTED = '"(?:[^"\\\\\\r\\n]|\\\\[ -~])*"'
const ADDRESS = `(?:${DOTTED}|${QUOTED})@(?:${DOTTED}|\\[[\\x21-\\x5a\\x5e-\\x7e]*\\])`
const NAME = `(?:[^<>@"]|${QUOTED})*`
const MAILBOX = new RegExp(`^\\s*(?:${ADDRESS}|${NAME}<${ADDRESS}>)\\s*$`, 'u')

/** Longer ones cannot be delivered, and would make the expression work. */
const LONGEST = 320

export function isEmailAddress(text: string): boolean {
  return text.length <= LONGEST && MAILBOX.test(text)
}

/** Two addresses are the same when their keys are. */
export function emailKey(address: string): string {
  const inBrackets = /<([^<>]*)>\s*$/.exec(address)?.[1]
  return (inBrackets ?? address).trim().toLowerCase()
}
