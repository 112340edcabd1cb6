/**
 * Asks one webhook: an AdmissionReview over HTTPS, in the newest version both sides know.
 *
 * What is thrown here are failures of the call; a refusal is an answer like any other.
 */
import { randomUUID } from 'node:crypto'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Objects } from '../../objects.js'
import { type AdmissionRequest, type ResourceDefinition } from '../../registry/strategy.js'
import { endpointOf } from '../../webhooks/endpoint.js'
import { post } from '../../webhooks/post.js'
import { type Webhook } from './configurations.js'

export interface WebhookAnswer {
  allowed: boolean
  status?: { code?: number; reason?: string; message?: string }
  /** Base64 of a JSON patch. */
  patch?: string
  patchType?: string
  warnings?: string[]
}

export interface Question {
  request: AdmissionRequest
  as: ResourceDefinition
  /** In the version of `as`. */
  object: KubeObject | undefined
  previous: Readonly<KubeObject> | undefined
}

const VERSIONS = ['v1', 'v1beta1']
const DEFAULT_SECONDS = 10

/** @throws Error that says what went wrong */
export async function ask(objects: Objects, webhook: Webhook, question: Question): Promise<WebhookAnswer> {
  const version = (webhook.admissionReviewVersions ?? ['v1beta1']).find((each) => VERSIONS.includes(each))
  if (version === undefined) throw new Error('the webhook accepts no version of AdmissionReview known here')
  const uid = randomUUID()
  const apiVersion = `admission.k8s.io/${version}`
  const body = JSON.stringify({ kind: 'AdmissionReview', apiVersion, request: reviewOf(uid, question) })
  const seconds = webhook.timeoutSeconds ?? DEFAULT_SECONDS
  const endpoint = endpointOf(objects, webhook.clientConfig)
  endpoint.url.searchParams.set('timeout', `${seconds}s`)
  const text = await post(
    endpoint,
    webhook.clientConfig,
    body,
    seconds,
    question.request.context.caller?.signal,
  )
  return answerIn(text, apiVersion, uid)
}

function reviewOf(uid: string, { request, as, object, previous }: Question): object {
  const { definition, operation, subresource, namespace, name, context } = request
  const { user } = context
  const kindOf = ({ group, version, kind }: ResourceDefinition): object => ({ group, version, kind })
  const resourceOf = ({ group, version, resource }: ResourceDefinition): object => ({
    group,
    version,
    resource,
  })
  const below = subresource !== ''
  return {
    uid,
    kind: kindOf(as),
    resource: resourceOf(as),
    ...(below && { subResource: subresource }),
    requestKind: kindOf(definition),
    requestResource: resourceOf(definition),
    ...(below && { requestSubResource: subresource }),
    ...(name !== '' && { name }),
    ...(namespace !== '' && { namespace }),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid && { uid: user.uid }),
      groups: user.groups,
      ...(user.extra && { extra: user.extra }),
    },
    object: object ?? null,
    oldObject: previous ?? null,
    dryRun: context.dryRun,
    options: {
      kind: `${operation === 'DELETE' ? 'Delete' : operation === 'UPDATE' ? 'Update' : 'Create'}Options`,
      apiVersion: 'meta.k8s.io/v1',
      ...(context.dryRun && { dryRun: ['All'] }),
    },
  }
}

/** @throws Error for what is no answer to this question */
function answerIn(text: string, apiVersion: string, uid: string): WebhookAnswer {
  let review: { kind?: unknown; apiVersion?: unknown; response?: (WebhookAnswer & { uid?: string }) | null }
  try {
    review = JSON.parse(text) as typeof review
  } catch (error) {
    throw new Error(`couldn't get version/kind; json parse error: ${(error as Error).message}`, {
      cause: error,
    })
  }
  if (typeof review !== 'object' || review === null || !review.response) {
    throw new Error('webhook response was absent')
  }
  const { response } = review
  const isFirst = apiVersion.endsWith('/v1')
  if (isFirst && (review.kind !== 'AdmissionReview' || review.apiVersion !== apiVersion)) {
    throw new Error(
      `expected webhook response of ${apiVersion}, Kind=AdmissionReview, got ${String(review.apiVersion)}, Kind=${String(review.kind)}`,
    )
  }
  if (isFirst && response.uid !== uid) {
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  }
  if (isFirst && response.patch && response.patchType !== 'JSONPatch') {
    throw new Error(`webhook returned response.patch but not response.patchType JSONPatch`)
  }
  return response
}
