/** The rulers of the cluster, as their objects describe them, and which rules each of them loads. */
import { badRequest, StatusError } from '../apimachinery/errors/index.js'
import { type LabelSelector, selectorFromLabelSelector } from '../apimachinery/labels/index.js'
import { type CachedResource } from '../client/cachedresource.js'
import { type TenancyResources } from '../tenancy/resources.js'
import { MONITORING_NAMESPACE } from './names.js'
import { type PrometheusRuleObject, type RulerObject, type Texts } from './types.js'

/** An error of ours that clients read as text. */
export function serverFault(message: string, options?: ErrorOptions): StatusError {
  return new StatusError({ code: 500, reason: 'InternalError', message }, options)
}

export function rulerDisabled(): StatusError {
  return badRequest(
    'The request operation to custom alerting rule could not be done because thanos ruler is not enabled',
  )
}

type Rules = Pick<PrometheusRuleObject, 'metadata'>

/** What one ruler selects, and the labels it puts on everything. */
export interface LoadedBy {
  selects(rules: Rules): boolean
  externalLabels: Readonly<Texts>
}

export class Rulers {
  constructor(
    private readonly thanosRulers: CachedResource<RulerObject>,
    private readonly prometheuses: CachedResource<RulerObject>,
    private readonly namespaces: Pick<TenancyResources['namespaces'], 'get'>,
  ) {}

  /** Loads custom rules. @throws StatusError 400 when there is none, 500 when there are several */
  async thanosRuler(): Promise<LoadedBy> {
    const ruler = await onlyOne(this.thanosRulers)
    if (!ruler) throw rulerDisabled()
    return this.#loadedBy(ruler, ruler.spec?.labels)
  }

  /** Loads built-in rules; undefined when no object describes it. @throws StatusError 500 when there are several */
  async prometheus(): Promise<LoadedBy | undefined> {
    const ruler = await onlyOne(this.prometheuses)
    return ruler && this.#loadedBy(ruler, ruler.spec?.externalLabels)
  }

  #loadedBy({ spec }: Readonly<RulerObject>, externalLabels: Texts = {}): LoadedBy {
    const selector = readable(spec?.ruleSelector)
    const { ruleNamespaceSelector } = spec ?? {}
    const namespaceSelector = ruleNamespaceSelector ? readable(ruleNamespaceSelector) : undefined
    const inNamespace = (namespace: string): boolean =>
      namespaceSelector
        ? namespaceSelector.matches(this.namespaces.get(namespace)?.metadata.labels ?? {})
        : namespace === MONITORING_NAMESPACE
    return {
      externalLabels,
      selects: ({ metadata: { namespace = '', labels = {} } }) =>
        selector.matches(labels) && inNamespace(namespace),
    }
  }
}

async function onlyOne(resource: CachedResource<RulerObject>): Promise<Readonly<RulerObject> | undefined> {
  await resource.pending()
  const found = [...resource.list(MONITORING_NAMESPACE)]
  if (found.length > 1)
    throw serverFault(
      `there is more than one ${resource.type.kind} in ${MONITORING_NAMESPACE}: ${found.map(({ metadata }) => metadata.name).join(', ')}`,
    )
  return found[0]
}

function readable(selector: LabelSelector | null | undefined) {
  try {
    return selectorFromLabelSelector(selector)
  } catch (error) {
    throw serverFault(`the selector of a ruler cannot be read: ${(error as Error).message}`, { cause: error })
  }
}
