/** The one list of kinds with rules of their own, by group and kind. */
import { type ResourceFacts } from './data.js'
import { type KindRules } from './rules.js'

const RULES: Readonly<Record<string, KindRules>> = {}

export function rulesOf({ group, version, kind }: ResourceFacts): KindRules {
  return RULES[`${group}/${version} ${kind}`] ?? RULES[`${group} ${kind}`] ?? {}
}
