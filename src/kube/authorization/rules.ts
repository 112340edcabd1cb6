/**
 * RBAC rules, compiled for questions.
 *
 * A compiled list of rules answers from a map by resource, so a decision does not grow with the rules
 * that are about other resources.
 */
import { type PolicyRule } from '../../apimachinery/rbac/index.js'

export { missingFrom, type PolicyRule, ruleText } from '../../apimachinery/rbac/index.js'

/** What is asked of rules. */
export interface Question {
  verb: string
  resourceRequest: boolean
  path: string
  apiGroup: string
  resource: string
  subresource: string
  name: string
}

const ALL = '*'
const EMPTY: readonly string[] = []

const has = (list: readonly string[] | null | undefined, value: string): boolean =>
  (list ?? EMPTY).includes(value)
const hasOrAll = (list: readonly string[] | null | undefined, value: string): boolean =>
  has(list, ALL) || has(list, value)

/** Resource rules by what their `resources` name; path rules apart. */
export class CompiledRules {
  readonly #byResource = new Map<string, PolicyRule[]>()
  readonly #paths: PolicyRule[] = []

  constructor(readonly rules: readonly PolicyRule[]) {
    for (const rule of rules) {
      for (const resource of new Set(rule.resources ?? EMPTY)) {
        const known = this.#byResource.get(resource)
        if (known) known.push(rule)
        else this.#byResource.set(resource, [rule])
      }
      if (rule.nonResourceURLs?.length) this.#paths.push(rule)
    }
  }

  /** The first rule that allows it. */
  allowing(question: Question): PolicyRule | undefined {
    if (!question.resourceRequest) {
      return this.#paths.find(
        (rule) => hasOrAll(rule.verbs, question.verb) && pathMatches(rule.nonResourceURLs, question.path),
      )
    }
    const { resource, subresource } = question
    const full = subresource === '' ? resource : `${resource}/${subresource}`
    return (
      this.#in(full, question) ??
      this.#in(ALL, question) ??
      (subresource === '' ? undefined : this.#in(`*/${subresource}`, question))
    )
  }

  #in(key: string, { verb, apiGroup, name }: Question): PolicyRule | undefined {
    return this.#byResource
      .get(key)
      ?.find(
        (rule) =>
          hasOrAll(rule.verbs, verb) &&
          hasOrAll(rule.apiGroups, apiGroup) &&
          (!rule.resourceNames?.length || rule.resourceNames.includes(name)),
      )
  }
}

function pathMatches(urls: readonly string[] | null | undefined, path: string): boolean {
  return (urls ?? EMPTY).some(
    (url) => url === ALL || url === path || (url.endsWith('*') && path.startsWith(url.replace(/\*+$/, ''))),
  )
}
