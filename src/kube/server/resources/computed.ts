/** Reads of objects that are worked out when asked for: metrics. */
import { methodNotAllowed, notFound } from '../../../apimachinery/errors/index.js'
import { parseSelector } from '../../../apimachinery/labels/index.js'
import { apiVersionOf } from '../../../apimachinery/meta/types.js'
import { type ResourceDefinition } from '../../registry/strategy.js'
import { type Exchange } from '../exchange.js'
import { wantsPretty } from '../negotiate.js'
import { answerJson } from '../output.js'

/** JSON whatever the client would rather have: all of them read it. @throws StatusError 400, 404, 405 */
export function computed(
  exchange: Exchange,
  definition: ResourceDefinition,
  source: NonNullable<ResourceDefinition['computed']>,
): void {
  const { verb, namespace, name, pathName } = exchange.requestInfo
  const form = { mediaType: 'application/json', pretty: wantsPretty(exchange) } as const
  if (verb === 'get') {
    const found = source.get(namespace, name)
    if (!found) throw notFound(definition, name)
    return answerJson(exchange, 200, found, form)
  }
  if (verb !== 'list' || pathName !== '') throw methodNotAllowed()
  const selector = parseSelector(exchange.query.get('labelSelector') ?? '')
  const items = source
    .list(namespace)
    .filter(({ metadata }) => selector.matches(metadata.labels) && (name === '' || metadata.name === name))
  answerJson(
    exchange,
    200,
    { kind: definition.listKind, apiVersion: apiVersionOf(definition), metadata: {}, items },
    form,
  )
}
