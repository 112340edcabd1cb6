/** Names made by the server from `generateName`. */

/** No vowels and no look-alikes, so that no words come out. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const SUFFIX_LENGTH = 5
const LABEL_LIMIT = 63

/**
 * The base, cut so that the whole fits a label, and five random letters.
 *
 * @param below a whole number from 0 up to, not including, its argument
 */
export function generateName(base: string, below: (limit: number) => number): string {
  return base.slice(0, LABEL_LIMIT - SUFFIX_LENGTH) + randomSuffix(below)
}

export function randomSuffix(below: (limit: number) => number, length = SUFFIX_LENGTH): string {
  let suffix = ''
  for (let i = 0; i < length; i++) suffix += ALPHABET.charAt(below(ALPHABET.length))
  return suffix
}
