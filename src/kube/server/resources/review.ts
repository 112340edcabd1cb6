/** Reviews: a POST that computes an answer and stores nothing. */
import { badRequest } from '../../../apimachinery/errors/index.js'
import { decode } from '../../registry/decode.js'
import { type ResourceDefinition } from '../../registry/strategy.js'
import { contextOf } from '../../registry/writeoptions.js'
import { type Api } from '../api.js'
import { objectBody } from '../body.js'
import { type Exchange } from '../exchange.js'
import { negotiate } from '../negotiate.js'
import { answerJson } from '../output.js'
import { writeOptions } from '../query.js'

export async function review(
  api: Api,
  exchange: Exchange,
  definition: ResourceDefinition,
  answer: NonNullable<ResourceDefinition['review']>,
): Promise<void> {
  const { namespace } = exchange.requestInfo
  // Nothing to print as a table: such an Accept is 406.
  const form = negotiate(exchange, definition, 'review')
  const options = writeOptions(exchange, 'CreateOptions', '')
  const { object: body, duplicates } = await objectBody(exchange, definition)
  const object = decode(api.catalogue, definition, body, options, duplicates)
  if (definition.namespaced) {
    if (object.metadata.namespace && object.metadata.namespace !== namespace) {
      throw badRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      )
    }
    object.metadata.namespace = namespace
  }
  const context = contextOf(options, api.clock.now())
  const answered = await answer(object, context, namespace)
  if (answered.kind === 'Status') return answerJson(exchange, 201, answered, form)
  const { kind, apiVersion, metadata, ...rest } = answered
  const ordered = { kind, apiVersion, metadata: { creationTimestamp: null, ...metadata }, ...rest }
  answerJson(exchange, 201, ordered, form)
}
