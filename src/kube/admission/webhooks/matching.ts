/** Which webhooks a request concerns, and in which version of the resource they want to see it. */
import { type Objects } from '../../objects.js'
import { type AdmissionRequest, type Catalogue, type ResourceDefinition } from '../../registry/strategy.js'
import { type Rule, type Webhook } from './configurations.js'

export interface Match {
  webhook: Webhook
  /** The request's own, or another version of the resource that the rules name. */
  as: ResourceDefinition
}

export class Matcher {
  #versions = new Map<string, ResourceDefinition[]>()
  #revision = -1

  constructor(
    private readonly objects: Objects,
    private readonly catalogue: Catalogue,
  ) {}

  match(webhook: Webhook, request: AdmissionRequest): Match | undefined {
    const as = this.#wanted(webhook, request)
    if (!as || !this.#selects(webhook, request)) return undefined
    return { webhook, as }
  }

  #wanted({ rules, matchPolicy }: Webhook, request: AdmissionRequest): ResourceDefinition | undefined {
    const { definition } = request
    if (rules.some((rule) => covers(rule, request, definition))) return definition
    if (matchPolicy === 'Exact') return undefined
    return this.#versionsOf(definition).find((other) => rules.some((rule) => covers(rule, request, other)))
  }

  /** Other versions of the same objects. */
  #versionsOf(definition: ResourceDefinition): readonly ResourceDefinition[] {
    if (this.#revision !== this.catalogue.revision) {
      this.#versions = new Map()
      this.#revision = this.catalogue.revision
      for (const each of this.catalogue.all()) {
        const known = this.#versions.get(each.keyPrefix)
        if (known) known.push(each)
        else this.#versions.set(each.keyPrefix, [each])
      }
    }
    const all = this.#versions.get(definition.keyPrefix) ?? []
    return all.filter((each) => each !== definition)
  }

  #selects({ namespaceSelector, objectSelector }: Webhook, request: AdmissionRequest): boolean {
    const labels = [request.object?.metadata.labels, request.previous?.metadata.labels]
    if (!labels.some((each) => objectSelector.matches(each ?? {}))) return false
    const { definition, namespace, name } = request
    if (definition.group === '' && definition.resource === 'namespaces') {
      const own = request.object ?? request.previous
      return namespaceSelector.matches(own?.metadata.labels ?? this.#namespaceLabels(name))
    }
    return !definition.namespaced || namespaceSelector.matches(this.#namespaceLabels(namespace))
  }

  #namespaceLabels(name: string): Readonly<Record<string, string>> {
    return this.objects.get('', 'namespaces', '', name)?.metadata.labels ?? {}
  }
}

const has = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(value))

function covers(rule: Rule, request: AdmissionRequest, definition: ResourceDefinition): boolean {
  if (!has(rule.operations, request.operation)) return false
  if (!has(rule.apiGroups, definition.group) || !has(rule.apiVersions, definition.version)) return false
  const { scope = '*' } = rule
  if (scope !== '*' && (scope === 'Namespaced') !== definition.namespaced) return false
  return (rule.resources ?? []).some((pattern) => names(pattern, definition.resource, request.subresource))
}

/** A resource, one with a subresource, or either as a star; a star alone means no subresources. */
function names(pattern: string, resource: string, subresource: string): boolean {
  const [wanted = '', below = ''] = pattern.split('/')
  if (wanted !== '*' && wanted !== resource) return false
  return below === '*' || below === subresource
}
