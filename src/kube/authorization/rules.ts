/**
 * RBAC rules: compiled for questions, compared for escalation, printed for messages.
 *
 * A compiled list of rules answers from a map by resource, so a decision does not grow with the rules
 * that are about other resources.
 */
export interface PolicyRule {
  verbs?: string[] | null
  apiGroups?: string[] | null
  resources?: string[] | null
  resourceNames?: string[] | null
  nonResourceURLs?: string[] | null
}

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

/** One verb on one resource, or on one path; what is left after taking a rule apart. */
type Atom = { verb: string } & (
  { group: string; resource: string; name: string | undefined } | { path: string }
)

function* atomsOf(rule: PolicyRule): Generator<Atom> {
  for (const verb of rule.verbs ?? EMPTY) {
    for (const group of rule.apiGroups ?? EMPTY) {
      for (const resource of rule.resources ?? EMPTY) {
        if (!rule.resourceNames?.length) yield { verb, group, resource, name: undefined }
        else for (const name of rule.resourceNames) yield { verb, group, resource, name }
      }
    }
    for (const path of rule.nonResourceURLs ?? EMPTY) yield { verb, path }
  }
}

function ruleCovers(rule: PolicyRule, atom: Atom): boolean {
  if (!hasOrAll(rule.verbs, atom.verb)) return false
  if ('path' in atom) {
    return (rule.nonResourceURLs ?? EMPTY).some(
      (url) => url === atom.path || (url.endsWith('*') && atom.path.startsWith(url.slice(0, -1))),
    )
  }
  if (!hasOrAll(rule.apiGroups, atom.group)) return false
  const slash = atom.resource.indexOf('/')
  const anyParent = slash < 0 ? undefined : `*${atom.resource.slice(slash)}`
  if (!hasOrAll(rule.resources, atom.resource) && !(anyParent && has(rule.resources, anyParent))) return false
  if (!rule.resourceNames?.length) return true
  return atom.name !== undefined && rule.resourceNames.includes(atom.name)
}

/** The permissions of `wanted` that `held` does not give, as few rules as they fit in. Empty: all are held. */
export function missingFrom(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  const missing: Atom[] = []
  for (const rule of wanted) {
    for (const atom of atomsOf(rule)) {
      if (!held.some((owned) => ruleCovers(owned, atom))) missing.push(atom)
    }
  }
  return compact(missing)
}

/** Verbs of the same resource in one rule. */
function compact(atoms: readonly Atom[]): PolicyRule[] {
  const rules = new Map<string, PolicyRule>()
  for (const { verb, ...rest } of atoms) {
    const key = JSON.stringify(rest)
    let rule = rules.get(key)
    if (!rule) {
      rule =
        'path' in rest
          ? { verbs: [], nonResourceURLs: [rest.path] }
          : {
              verbs: [],
              apiGroups: [rest.group],
              resources: [rest.resource],
              ...(rest.name !== undefined && { resourceNames: [rest.name] }),
            }
      rules.set(key, rule)
    }
    if (!has(rule.verbs, verb)) rule.verbs?.push(verb)
  }
  return [...rules.values()]
}

const quoted = (list: readonly string[]): string => `[${list.map((text) => JSON.stringify(text)).join(' ')}]`

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`, as messages print rules. */
export function ruleText(rule: PolicyRule): string {
  const parts: string[] = []
  const part = (label: string, list: readonly string[] | null | undefined): void => {
    if (list?.length) parts.push(`${label}:${quoted(list)}`)
  }
  part('APIGroups', rule.apiGroups)
  part('Resources', rule.resources)
  part('NonResourceURLs', rule.nonResourceURLs)
  part('ResourceNames', rule.resourceNames)
  part('Verbs', rule.verbs)
  return `{${parts.join(', ')}}`
}
