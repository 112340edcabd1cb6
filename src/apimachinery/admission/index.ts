/**
 * AdmissionReview, the question that an API server asks before it stores, and its answer. Versions v1 and v1beta1 of
 * admission.k8s.io have the same fields.
 */
import { StatusError, type StatusReason } from '../errors/index.js'
import { type KubeObject } from '../meta/types.js'

export interface AdmissionReviewRequest {
  uid: string
  kind?: { group: string; version: string; kind: string }
  resource: { group: string; version: string; resource: string }
  subResource?: string
  /** "" while the name is yet to be generated. */
  name?: string
  namespace?: string
  operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  userInfo?: { username?: string; groups?: readonly string[] }
  object?: KubeObject | null
  oldObject?: KubeObject | null
  dryRun?: boolean
}

export interface AdmissionResponse {
  allowed: boolean
  /** Why not. */
  status?: { code?: number; reason?: string; message?: string }
}

/** Decides about one request. What it throws is a failure of the webhook, not a refusal. */
export type AdmissionHandler = (
  request: AdmissionReviewRequest,
  signal: AbortSignal,
) => AdmissionResponse | Promise<AdmissionResponse>

/** What is asked of a webhook, and when. */
interface Registration {
  /** `users.iam.kubesphere.io`; part of refusals. */
  name: string
  /** Where it is served to a cluster. */
  path: string
  rules: readonly {
    group: string
    version: string
    resources: readonly string[]
    operations: readonly AdmissionReviewRequest['operation'][]
  }[]
  /** `Fail`: what cannot be asked is refused. */
  failurePolicy: 'Fail' | 'Ignore'
  /** What it does besides answering. Default: nothing. */
  sideEffects?: 'None' | 'NoneOnDryRun'
}

/** Says whether an object may be stored, wherever its handler runs. */
export interface ValidatingWebhook extends Registration {
  handle: AdmissionHandler
}

/** Fills in what an object leaves open, wherever its handler runs. */
export interface MutatingWebhook extends Registration {
  /** @returns the object to store, or undefined for the one that was asked about; it is not changed in place */
  mutate: (request: AdmissionReviewRequest) => KubeObject | undefined
}

export type Webhook = ValidatingWebhook | MutatingWebhook

export const isMutating = (webhook: Webhook): webhook is MutatingWebhook => 'mutate' in webhook

export const ADMITTED: AdmissionResponse = Object.freeze({ allowed: true })

export function refused(code: number, reason: string, message: string): AdmissionResponse {
  return { allowed: false, status: { code, reason, message } }
}

/** The error a client sees, worded as by the genuine server. */
export function refusalError(webhook: string, { status = {} }: AdmissionResponse): StatusError {
  const denied = `admission webhook ${JSON.stringify(webhook)} denied the request`
  const why = status.message || status.reason
  return new StatusError({
    code: (status.code ?? 0) < 400 ? 400 : (status.code as number),
    reason: (status.reason ?? '') as StatusReason, // Whatever the webhook says is passed on.
    message: why ? `${denied}: ${why}` : `${denied} without explanation`,
  })
}
