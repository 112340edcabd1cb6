/**
 * MutatingAdmissionWebhook and ValidatingAdmissionWebhook.
 *
 * Mutating webhooks are asked one after the other, each sees what the one before made; whoever wants to is asked once
 * more when the object has changed since. Validating ones are asked at the same time.
 */
import { refusalError } from '../../../apimachinery/admission/index.js'
import { badRequest, internal } from '../../../apimachinery/errors/index.js'
import { equal } from '../../../apimachinery/json/value.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { applyJsonPatch } from '../../../apimachinery/patch/index.js'
import { type Objects } from '../../objects.js'
import { served } from '../../registry/served.js'
import {
  type AdmissionPlugin,
  type AdmissionRequest,
  type Catalogue,
  type ResourceDefinition,
} from '../../registry/strategy.js'
import { type Logger } from '../../server/interfaces.js'
import { ask, type WebhookAnswer } from './call.js'
import { type Webhook, WebhookConfigurations } from './configurations.js'
import { type Match, Matcher } from './matching.js'

export interface WebhookDeps {
  objects: Objects
  catalogue: Catalogue
  logger: Logger
  /** Validating webhooks that run in this process, by name. */
  runsHere?: (webhook: string) => boolean
}

export interface WebhookPlugins {
  mutating: AdmissionPlugin
  validating: AdmissionPlugin
  close(): void
}

const OWN_GROUP = 'admissionregistration.k8s.io'

/** @param before the plugins ahead of the webhooks, which look again at what a webhook changed */
export function webhookPlugins(deps: WebhookDeps, before: readonly AdmissionPlugin[]): WebhookPlugins {
  const configurations = {
    mutating: new WebhookConfigurations(deps.objects, 'mutating'),
    validating: new WebhookConfigurations(deps.objects, 'validating'),
  }
  const matcher = new Matcher(deps.objects, deps.catalogue)
  const matching = (webhooks: readonly Webhook[], request: AdmissionRequest): Match[] =>
    // Webhooks that lock everybody out must be removable.
    webhooks.length === 0 || request.definition.group === OWN_GROUP
      ? []
      : webhooks.flatMap((webhook) => matcher.match(webhook, request) ?? [])
  return {
    mutating: {
      name: 'MutatingAdmissionWebhook',
      admit(request) {
        const { all } = configurations.mutating
        return all.length === 0 ? undefined : mutate(request, () => matching(all, request))
      },
    },
    validating: {
      name: 'ValidatingAdmissionWebhook',
      validate(request) {
        const { all } = configurations.validating
        const asked = matching(all, request).filter(({ webhook }) => !deps.runsHere?.(webhook.name))
        return asked.length === 0 ? undefined : validate(request, asked)
      },
    },
    close() {
      configurations.mutating.close()
      configurations.validating.close()
    },
  }

  async function validate(request: AdmissionRequest, asked: readonly Match[]): Promise<void> {
    await Promise.all(asked.map((match) => question(request, match)))
  }

  async function mutate(request: AdmissionRequest, matches: () => Match[]): Promise<void> {
    const seen = new Map<Webhook, KubeObject | undefined>()
    const original = request.object && structuredClone(request.object)
    for (const match of matches()) {
      await change(request, match)
      seen.set(match.webhook, request.object && structuredClone(request.object))
    }
    if (seen.size === 0 || equal(original, request.object)) return
    for (const plugin of before) await plugin.admit?.(request)
    for (const match of matches()) {
      const { webhook } = match
      if (webhook.reinvocationPolicy !== 'IfNeeded' || !seen.has(webhook)) continue
      if (!equal(seen.get(webhook), request.object)) await change(request, match)
    }
  }

  async function change(request: AdmissionRequest, match: Match): Promise<void> {
    const answer = await question(request, match)
    if (!answer?.patch || !request.object) return
    const { definition } = request
    const { as } = match
    let patched: KubeObject
    try {
      const patch: unknown = JSON.parse(Buffer.from(answer.patch, 'base64').toString())
      const seen = await converted(request.object, definition, as)
      patched = await converted(applyJsonPatch(seen, patch), as, definition)
      patched = definition.strategy.decode(patched, { unknown: [], duplicate: [] })
    } catch (error) {
      throw internal((error as Error).message, { cause: error })
    }
    patched.metadata.managedFields ??= request.object.metadata.managedFields ?? []
    replace(request.object, patched)
    definition.strategy.applyDefaults(request.object)
  }

  /** @returns undefined when the webhook could not be asked and that does not matter */
  async function question(
    request: AdmissionRequest,
    { webhook, as }: Match,
  ): Promise<WebhookAnswer | undefined> {
    const { definition, context } = request
    const quoted = JSON.stringify(webhook.name)
    if (context.dryRun && webhook.sideEffects !== 'None' && webhook.sideEffects !== 'NoneOnDryRun') {
      throw badRequest(`admission webhook ${quoted} does not support dry run`)
    }
    let answer: WebhookAnswer
    try {
      answer = await ask(deps.objects, webhook, {
        request,
        as,
        object: request.object && (await converted(request.object, definition, as)),
        previous: request.previous && (await converted(request.previous, definition, as)),
      })
    } catch (error) {
      deps.logger.warn({ err: error, webhook: webhook.name }, 'webhook failed')
      if (webhook.failurePolicy === 'Ignore') return undefined
      throw internal(`failed calling webhook ${quoted}: ${(error as Error).message}`, { cause: error })
    }
    for (const warning of answer.warnings ?? []) context.warn(String(warning))
    if (!answer.allowed) throw refusalError(webhook.name, answer)
    return answer
  }
}

/** The object in another version of its resource; a copy. */
async function converted(
  object: Readonly<KubeObject>,
  from: ResourceDefinition,
  to: ResourceDefinition,
): Promise<KubeObject> {
  const copy = structuredClone(object) as KubeObject
  if (from === to) return copy
  const stored = from.convert ? await from.convert.toStorage(copy) : copy
  const result = to.convert ? await to.convert.fromStorage(stored) : stored
  return { ...result, kind: to.kind, apiVersion: served(to).apiVersion }
}

/** The object keeps its identity: whoever holds it sees the change. */
function replace(object: KubeObject, by: KubeObject): void {
  for (const field of Object.keys(object)) if (!Object.hasOwn(by, field)) delete object[field]
  Object.assign(object, by)
}
