/**
 * Rules compared: what one set of permissions lacks of another. Nobody may give more than they hold, and this says
 * what they lack.
 */
/** A rule as roles carry it; missing and null lists are empty. */
export interface PolicyRule {
  verbs?: readonly string[] | null
  apiGroups?: readonly string[] | null
  resources?: readonly string[] | null
  resourceNames?: readonly string[] | null
  nonResourceURLs?: readonly string[] | null
}

const ALL = '*'
const EMPTY: readonly string[] = []

const has = (list: readonly string[] | null | undefined, value: string): boolean =>
  (list ?? EMPTY).includes(value)
const hasOrAll = (list: readonly string[] | null | undefined, value: string): boolean =>
  has(list, ALL) || has(list, value)

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
  const rules = new Map<string, { of: Omit<Atom, 'verb'>; verbs: Set<string> }>()
  for (const { verb, ...of } of atoms) {
    const key = JSON.stringify(of)
    const rule = rules.get(key)
    if (rule) rule.verbs.add(verb)
    else rules.set(key, { of, verbs: new Set([verb]) })
  }
  return [...rules.values()].map(({ of, verbs }) => ({ verbs: [...verbs], ...rest(of as Atom) }))
}

function rest(atom: Atom): PolicyRule {
  if ('path' in atom) return { nonResourceURLs: [atom.path] }
  const { group, resource, name } = atom
  return { apiGroups: [group], resources: [resource], ...(name !== undefined && { resourceNames: [name] }) }
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
