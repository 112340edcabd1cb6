/**
 * Answers AdmissionReviews over HTTP: the webhooks as a cluster calls them.
 *
 * A request for anything else is 404. What a handler throws is 500, so that the failure policy of the registration
 * decides, as it does when nobody answers at all.
 */
import { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import {
  type AdmissionResponse,
  type AdmissionReviewRequest,
  ADMITTED,
  isMutating,
  type MutatingWebhook,
  type Webhook,
} from '../apimachinery/admission/index.js'
import { equal } from '../apimachinery/json/value.js'
import { type Logger } from '../controller/index.js'

const LIMIT_BYTES = 8 * 1024 * 1024
const TIMEOUT_MS = 25_000
const VERSIONS = new Set(['admission.k8s.io/v1', 'admission.k8s.io/v1beta1'])

interface Review {
  apiVersion: string
  kind: 'AdmissionReview'
  request: AdmissionReviewRequest
}

export function admissionListener(webhooks: readonly Webhook[], logger: Logger): RequestListener {
  const byPath = new Map(webhooks.map((webhook) => [webhook.path, webhook]))
  return (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? ''
    if (request.method === 'GET' && (path === '/healthz' || path === '/readyz'))
      return end(response, 200, 'ok')
    const webhook = byPath.get(path)
    if (!webhook) return end(response, 404, 'there is no such webhook')
    if (request.method !== 'POST') return end(response, 405, 'send an AdmissionReview by POST')
    answer(webhook, request).then(
      (review) => end(response, 200, JSON.stringify(review), 'application/json'),
      (error: unknown) => {
        if (error instanceof BadReview) return end(response, 400, error.message)
        logger.error({ err: error, webhook: webhook.name }, 'webhook failed')
        end(response, 500, 'the webhook failed')
      },
    )
  }
}

async function answer(webhook: Webhook, request: IncomingMessage): Promise<object> {
  const { apiVersion, kind, request: asked } = parse(await bodyOf(request))
  const response: AdmissionResponse = isMutating(webhook)
    ? { ...ADMITTED, ...patchBy(webhook, asked) }
    : await webhook.handle(asked, AbortSignal.timeout(TIMEOUT_MS))
  return { apiVersion, kind, response: { uid: asked.uid, ...response } }
}

/** Whole fields of the object are replaced: `add` stands for both. */
function patchBy({ mutate }: MutatingWebhook, asked: AdmissionReviewRequest): object {
  const changed = mutate(asked) as Record<string, unknown> | undefined
  if (!changed) return {}
  const operations = Object.entries(changed)
    .filter(([field, value]) => !equal(value, (asked.object as Record<string, unknown> | null)?.[field]))
    .map(([field, value]) => ({ op: 'add', path: `/${field}`, value }))
  if (operations.length === 0) return {}
  return { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') }
}

class BadReview extends Error {}

function parse(body: Buffer): Review {
  let review: Partial<Review> | null
  try {
    review = JSON.parse(body.toString('utf8')) as Partial<Review> | null
  } catch {
    throw new BadReview('the body is not JSON')
  }
  const { apiVersion = '', kind, request } = review ?? {}
  if (kind !== 'AdmissionReview' || !VERSIONS.has(apiVersion) || typeof request?.uid !== 'string') {
    throw new BadReview('the body is no AdmissionReview of version v1 or v1beta1')
  }
  return { apiVersion, kind, request }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > LIMIT_BYTES) throw new BadReview('the review is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

function end(response: ServerResponse, status: number, body: string, type = 'text/plain'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body)
}
