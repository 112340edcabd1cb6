/**
 * Webhooks that run in this process: the same handlers that a cluster reaches over HTTPS.
 *
 * Whoever embeds the API registers them once it can answer; until then nothing is refused for their sake.
 */
import { randomUUID } from 'node:crypto'
import {
  type AdmissionReviewRequest,
  isMutating,
  type MutatingWebhook,
  refusalError,
  type ValidatingWebhook,
  type Webhook,
} from '../../apimachinery/admission/index.js'
import { internal, StatusError } from '../../apimachinery/errors/index.js'
import { type AdmissionPlugin, type AdmissionRequest } from '../registry/strategy.js'
import { type Logger } from '../server/interfaces.js'

/** As the genuine server's registrations have it. */
const TIMEOUT_MS = 30_000

export class LocalWebhooks {
  readonly #mutating: MutatingWebhook[] = []
  readonly #validating: ValidatingWebhook[] = []

  constructor(private readonly logger: Logger) {}

  register(webhook: Webhook): void {
    if (isMutating(webhook)) this.#mutating.push(webhook)
    else this.#validating.push(webhook)
  }

  /** A registration of that name, left by a process that this one stands in for, need not be called as well. */
  has(name: string): boolean {
    return [...this.#mutating, ...this.#validating].some((webhook) => webhook.name === name)
  }

  readonly plugin: AdmissionPlugin = {
    name: 'LocalWebhooks',
    admit: (request) => {
      for (const webhook of this.#mutating) if (concerns(webhook, request)) this.#change(webhook, request)
    },
    validate: (request) => {
      const asked = this.#validating.filter((webhook) => concerns(webhook, request))
      return asked.length === 0 ? undefined : this.#ask(asked, reviewOf(request))
    },
  }

  #change({ name, failurePolicy, mutate }: MutatingWebhook, request: AdmissionRequest): void {
    if (!request.object) return
    try {
      const changed = mutate(reviewOf(request))
      if (changed) Object.assign(request.object, changed)
    } catch (error) {
      this.logger.warn({ err: error, webhook: name }, 'webhook failed')
      if (failurePolicy === 'Fail')
        throw internal(`failed calling webhook ${JSON.stringify(name)}: the handler failed`, { cause: error })
    }
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

function concerns({ rules }: Webhook, { definition, operation, subresource }: AdmissionRequest) {
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
