/** Which rule an image falls under. */
import { type ImageRule } from '../rules/index.js'

/** The first that fits; `library/` and registries do not matter to plain names. */
export function ruleOf(rules: readonly ImageRule[], image: string, words: readonly string[]): ImageRule {
  const line = words.join(' ')
  return (
    rules.find(
      ({ match, command }) =>
        match.some((pattern) => imageFits(pattern, image)) &&
        (command === undefined || command.some((pattern) => patternOf(pattern).test(line))),
    ) ?? { match: [] }
  )
}

/** A pattern with a colon or a slash is compared with the whole reference, another with its name alone. */
export function imageFits(pattern: string, image: string): boolean {
  const name = (image.split('@')[0] ?? '').split('/').at(-1)?.split(':')[0] ?? ''
  return patternOf(pattern).test(/[/:]/.test(pattern) ? image : name)
}

const patterns = new Map<string, RegExp>()

/** `*` stands for anything. Patterns come from rules, so there are few of them. */
function patternOf(pattern: string): RegExp {
  let known = patterns.get(pattern)
  if (!known) {
    const parts = pattern.split('*').map((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    patterns.set(pattern, (known = new RegExp(`^${parts.join('.*')}$`, 's')))
  }
  return known
}
