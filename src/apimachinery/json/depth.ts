/**
 * How deep JSON may be nested. Whoever walks an object, and `JSON.stringify` itself, needs stack for each level: a body of
 * a few kilobytes could take all of it.
 */

/** Levels; twice as deep as the deepest schema that anybody wrote, a fifth of what the stack holds. */
export const DEEPEST = 1000

const [QUOTE, BACKSLASH] = [0x22, 0x5c]
const OPENING = new Set([0x5b, 0x7b])
const CLOSING = new Set([0x5d, 0x7d])

/** Of a text, which need not be valid. */
export function isTextTooDeep(bytes: Uint8Array): boolean {
  // Each level has to be closed, too.
  if (bytes.length <= 2 * DEEPEST) return false
  let depth = 0
  let quoted = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (quoted) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) quoted = false
    } else if (byte === QUOTE) quoted = true
    else if (OPENING.has(byte)) {
      if (++depth > DEEPEST) return true
    } else if (CLOSING.has(byte)) depth--
  }
  return false
}

/** Of a value, which may be reached by several ways but must not hold itself. */
export function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; depth <= DEEPEST; depth++) {
    level = level.flatMap((each) =>
      typeof each === 'object' && each !== null ? (Object.values(each) as unknown[]) : [],
    )
    if (level.length === 0) return false
  }
  return true
}
