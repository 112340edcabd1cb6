/**
 * Policy rules, compiled for matching.
 *
 * Semantics are those of Kubernetes RBAC: `pods` does not cover `pods/log`, `*` covers both, and a
 * star before the slash covers one subresource of every resource. The API version is never matched.
 */
import { type PolicyRule } from '../apimachinery/rbac/index.js'
import { type Attributes } from './interface.js'

export { type PolicyRule } from '../apimachinery/rbac/index.js'

const ALL = '*'

interface CompiledRule {
  readonly verbs: readonly string[]
  readonly anyVerb: boolean
  readonly groups: readonly string[]
  readonly anyGroup: boolean
  /** Empty: every name. */
  readonly names: readonly string[]
  readonly source: PolicyRule
}

interface UrlRule {
  readonly verbs: readonly string[]
  readonly anyVerb: boolean
  readonly exact: ReadonlySet<string>
  readonly prefixes: readonly string[]
  readonly source: PolicyRule
}

/** Subresources of the Kubernetes API that are more than a look, by resource: commands run and requests reach inside. */
const ENTRANCES: Readonly<Record<string, ReadonlySet<string>>> = {
  pods: new Set(['exec', 'attach', 'portforward', 'proxy']),
  services: new Set(['proxy']),
  nodes: new Set(['proxy']),
}

/** The verb a request needs: going into a container, service or node is `create`, whichever method opens the way. */
export function verbOf({ verb, subresource, resource, isKubernetesRequest }: Attributes): string {
  if (subresource === '' || verb !== 'get' || !isKubernetesRequest) return verb
  return ENTRANCES[resource]?.has(subresource) === true ? 'create' : verb
}

/** All rules of one role, found by resource rather than one after the other. */
export class RuleSet {
  /** Keys as rules write them: `pods`, `pods/log`, `*`, `*` + `/scale`. */
  readonly #byResource = new Map<string, CompiledRule[]>()
  readonly #byUrl: UrlRule[] = []

  constructor(readonly rules: readonly PolicyRule[]) {
    for (const rule of rules) {
      const verbs = rule.verbs ?? []
      const anyVerb = verbs.includes(ALL)
      if (rule.nonResourceURLs?.length) {
        const stars = rule.nonResourceURLs.filter((url) => url.endsWith(ALL))
        this.#byUrl.push({
          verbs,
          anyVerb,
          exact: new Set(rule.nonResourceURLs),
          prefixes: stars.map((url) => url.replace(/\*+$/, '')),
          source: rule,
        })
      }
      const groups = rule.apiGroups ?? []
      const compiled: CompiledRule = {
        verbs,
        anyVerb,
        groups,
        anyGroup: groups.includes(ALL),
        names: rule.resourceNames ?? [],
        source: rule,
      }
      for (const resource of new Set(rule.resources)) {
        const listed = this.#byResource.get(resource)
        if (listed === undefined) this.#byResource.set(resource, [compiled])
        else listed.push(compiled)
      }
    }
  }

  /** @returns the first rule found that covers the request */
  match(attributes: Attributes): PolicyRule | undefined {
    if (!attributes.isResourceRequest) return this.#matchUrl(attributes)
    const { resource, subresource } = attributes
    const verb = verbOf(attributes)
    const combined = subresource === '' ? resource : `${resource}/${subresource}`
    const found =
      matchAny(this.#byResource.get(ALL), verb, attributes) ??
      matchAny(this.#byResource.get(combined), verb, attributes)
    if (found !== undefined || subresource === '') return found
    return matchAny(this.#byResource.get(`*/${subresource}`), verb, attributes)
  }

  #matchUrl({ verb, path }: Attributes): PolicyRule | undefined {
    return this.#byUrl.find(
      (rule) =>
        (rule.anyVerb || rule.verbs.includes(verb)) &&
        (rule.exact.has(path) || rule.prefixes.some((prefix) => path.startsWith(prefix))),
    )?.source
  }
}

function matchAny(
  rules: readonly CompiledRule[] | undefined,
  verb: string,
  { apiGroup, name }: Attributes,
): PolicyRule | undefined {
  if (rules === undefined) return undefined
  for (const rule of rules) {
    if (
      (rule.anyVerb || rule.verbs.includes(verb)) &&
      (rule.anyGroup || rule.groups.includes(apiGroup)) &&
      (rule.names.length === 0 || rule.names.includes(name))
    )
      return rule.source
  }
  return undefined
}
