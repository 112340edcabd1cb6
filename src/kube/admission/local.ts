/**
 * Validating webhooks that run in this process: the same handlers that a cluster reaches over HTTPS.
 *
 * Whoever embeds the API registers them once it can answer; until then nothing is refused for their sake.
 */
import { randomUUID } from 'node:crypto'
import {
  type AdmissionReviewRequest,
  refusalError,
  type ValidatingWebhook,
} from '../../apimachinery/admission/index.js'
import { internal, StatusError } from '../../apimachinery/errors/index.js'
import { type AdmissionPlugin, type AdmissionRequest } from '../registry/strategy.js'
import { type Logger } from '../server/interfaces.js'

/** As the genuine server's registrations have it. */
const TIMEOUT_MS = 30_000

export class LocalWebhooks {
  readonly #webhooks: ValidatingWebhook[] = []

  constructor(private readonly logger: Logger) {}

  register(webhook: ValidatingWebhook): void {
    this.#webhooks.push(webhook)
  }

  /** A registration of that name, left by a process that this one stands in for, need not be called as well. */
  has(name: string): boolean {
    return this.#webhooks.some((webhook) => webhook.name === name)
  }

  readonly plugin: AdmissionPlugin = {
    name: 'LocalWebhooks',
    validate: (request) => {
      const asked = this.#webhooks.filter((webhook) => concerns(webhook, request))
      return asked.length === 0 ? undefined : this.#ask(asked, reviewOf(request))
    },
  }

  async #ask(webhooks: readonly ValidatingWebhook[], review: AdmissionReviewRequest): Promise<void> {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    await Promise.all(webhooks.map((webhook) => this.#askOne(webhook, review, signal)))
  }

  async #askOne(
    { name, failurePolicy, handle }: ValidatingWebhook,
    review: AdmissionReviewRequest,
    signal: AbortSignal,
  ): Promise<void> {
    let answer
    try {
      answer = await handle(review, signal)
    } catch (error) {
      this.logger.warn({ err: error, webhook: name }, 'webhook failed')
      if (failurePolicy === 'Ignore') return
      const why = error instanceof StatusError ? error.message : 'the handler failed'
      throw internal(`failed calling webhook ${JSON.stringify(name)}: ${why}`, { cause: error })
    }
    if (!answer.allowed) throw refusalError(name, answer)
  }
}

function concerns({ rules }: ValidatingWebhook, { definition, operation, subresource }: AdmissionRequest) {
  const resource = subresource === '' ? definition.resource : `${definition.resource}/${subresource}`
  return rules.some(
    ({ group, resources, operations }) =>
      group === definition.group && resources.includes(resource) && operations.includes(operation),
  )
}

function reviewOf(request: AdmissionRequest): AdmissionReviewRequest {
  const { definition, operation, subresource, namespace, name, object, previous, context } = request
  const { group, version, resource, kind } = definition
  return {
    uid: randomUUID(),
    kind: { group, version, kind },
    resource: { group, version, resource },
    ...(subresource !== '' && { subResource: subresource }),
    name,
    namespace,
    operation,
    userInfo: { username: context.user.name, groups: context.user.groups },
    object: object ?? null,
    oldObject: previous ?? null,
    dryRun: context.dryRun,
  }
}
