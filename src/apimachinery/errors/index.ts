/**
 * The one class for what a client may see, and its constructors.
 *
 * A StatusError is a Kubernetes `Status` with HTTP code, reason and details. Messages follow the
 * wording of kube-apiserver 1.20 because clients and people read them.
 */

export type StatusReason =
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Invalid'
  | 'Expired'
  | 'Timeout'
  | 'ServerTimeout'
  | 'TooManyRequests'
  | 'BadRequest'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'InternalError'
  | 'ServiceUnavailable'
  | 'InsufficientStorage'
  | ''

export interface StatusCause {
  reason?: string
  message?: string
  field?: string
}

export interface StatusDetails {
  name?: string
  group?: string
  kind?: string
  uid?: string
  causes?: StatusCause[]
  retryAfterSeconds?: number
}

/** The wire form, `v1.Status`. `code` is the HTTP status. */
export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: Record<string, unknown>
  status: 'Success' | 'Failure'
  message?: string
  reason?: string
  details?: StatusDetails
  code: number
}

export interface StatusFields {
  code: number
  reason: StatusReason
  message: string
  details?: StatusDetails | undefined
  /** List metadata to answer with the error, such as the fresh `continue` of an expired list. */
  metadata?: Record<string, unknown>
}

export class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly code: number
  readonly reason: StatusReason
  readonly details: StatusDetails | undefined
  readonly metadata: Record<string, unknown>

  constructor(fields: StatusFields, options?: ErrorOptions) {
    super(fields.message, options)
    this.code = fields.code
    this.reason = fields.reason
    this.details = fields.details
    this.metadata = fields.metadata ?? {}
  }

  /** The wire form, keys in the order kube-apiserver writes them. */
  status(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.metadata,
      status: 'Failure',
      ...(this.message !== '' && { message: this.message }),
      ...(this.reason !== '' && { reason: this.reason }),
      ...(this.details !== undefined && { details: this.details }),
      code: this.code,
    }
  }

  /** Reads a Status received from a server; anything else becomes an internal error with that code. */
  static fromStatus(value: unknown, code = 500): StatusError {
    const status = (value !== null && typeof value === 'object' ? value : {}) as Partial<Status>
    return new StatusError({
      code: typeof status.code === 'number' ? status.code : code,
      reason: (typeof status.reason === 'string' ? status.reason : '') as StatusReason,
      message: typeof status.message === 'string' ? status.message : `the server answered ${code}`,
      details: status.details,
    })
  }
}

/** Names the resource an error is about. `resource` is plural, lower case; `group` is "" for the core group. */
export interface QualifiedResource {
  group: string
  resource: string
}

/** `pods`, `deployments.apps`. */
export function qualify({ group, resource }: QualifiedResource): string {
  return group === '' ? resource : `${resource}.${group}`
}

function about(
  { group, resource }: QualifiedResource,
  name: string,
  more: StatusDetails = {},
): StatusDetails {
  return {
    ...(name !== '' && { name }),
    ...(group !== '' && { group }),
    ...(resource !== '' && { kind: resource }),
    ...more,
  }
}

export function notFound(resource: QualifiedResource, name: string): StatusError {
  return new StatusError({
    code: 404,
    reason: 'NotFound',
    message: `${qualify(resource)} "${name}" not found`,
    details: about(resource, name),
  })
}

/** The path names no resource, or no resource with this method. */
export function noSuchResource(): StatusError {
  return new StatusError({
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  })
}

export function alreadyExists(resource: QualifiedResource, name: string): StatusError {
  return new StatusError({
    code: 409,
    reason: 'AlreadyExists',
    message: `${qualify(resource)} "${name}" already exists`,
    details: about(resource, name),
  })
}

export function conflict(resource: QualifiedResource, name: string, why: string): StatusError {
  return new StatusError({
    code: 409,
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on ${qualify(resource)} "${name}": ${why}`,
    details: about(resource, name),
  })
}

export const STALE =
  'the object has been modified; please apply your changes to the latest version and try again'

/** A body of a few megabytes can hold more faults than an answer should: each takes a hundred times its own size. */
const FAULTS_TOLD = 500

/** @param kind the PascalCase kind, as `Invalid` alone names it */
export function invalid(
  { group, kind }: { group: string; kind: string },
  name: string,
  all: readonly FieldFault[],
): StatusError {
  const faults = all.slice(0, FAULTS_TOLD)
  const texts = [...new Set(faults.map(faultText))]
  if (all.length > FAULTS_TOLD) texts.push(`and ${all.length - FAULTS_TOLD} more`)
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  const subject = group === '' ? kind : `${kind}.${group}`
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: `${subject} "${name}" is invalid: ${list}`,
    details: {
      ...(name !== '' && { name }),
      ...(group !== '' && { group }),
      kind,
      causes: faults.map((fault) => ({
        reason: fault.reason,
        message: faultBody(fault),
        field: fault.field,
      })),
    },
  })
}

/** One fault of a field, as `field.Error` of Kubernetes. `message` is the text after the reason words. */
export interface FieldFault {
  reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate'
    | 'FieldValueForbidden'
    | 'FieldValueNotFound'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | 'FieldValueTypeInvalid'
    | 'InternalError'
  field: string
  message: string
}

/** `Required value: name or generateName is required`; `message` of a fault already holds the whole text. */
function faultBody(fault: FieldFault): string {
  return fault.message
}

function faultText(fault: FieldFault): string {
  return `${fault.field}: ${faultBody(fault)}`
}

export function badRequest(message: string, options?: ErrorOptions): StatusError {
  return new StatusError({ code: 400, reason: 'BadRequest', message }, options)
}

export function unauthorized(message = 'Unauthorized'): StatusError {
  return new StatusError({ code: 401, reason: 'Unauthorized', message })
}

/** @param why what follows the colon: `User "bob" cannot get resource "pods" ...` */
export function forbidden(resource: QualifiedResource, name: string, why: string): StatusError {
  const qualified = qualify(resource)
  const subject = qualified === '' ? '' : name === '' ? `${qualified} is ` : `${qualified} "${name}" is `
  return new StatusError({
    code: 403,
    reason: 'Forbidden',
    message: `${subject}forbidden: ${why}`,
    details: about(resource, name),
  })
}

export function methodNotAllowed(
  message = 'the server does not allow this method on the requested resource',
): StatusError {
  return new StatusError({ code: 405, reason: 'MethodNotAllowed', message, details: {} })
}

export function notAcceptable(accepted: readonly string[]): StatusError {
  return new StatusError({
    code: 406,
    reason: 'NotAcceptable',
    message: `only the following media types are accepted: ${accepted.join(', ')}`,
  })
}

export function expired(message: string, metadata: Record<string, unknown> = {}): StatusError {
  return new StatusError({ code: 410, reason: 'Expired', message, metadata })
}

export function tooLarge(limitBytes: number): StatusError {
  return new StatusError({
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: `Request entity too large: limit is ${limitBytes}`,
  })
}

export function unsupportedMediaType(message: string): StatusError {
  return new StatusError({ code: 415, reason: 'UnsupportedMediaType', message })
}

export function tooManyRequests(message: string, retryAfterSeconds = 1): StatusError {
  return new StatusError({ code: 429, reason: 'TooManyRequests', message, details: { retryAfterSeconds } })
}

export function internal(message: string, options?: ErrorOptions): StatusError {
  return new StatusError(
    {
      code: 500,
      reason: 'InternalError',
      message: `Internal error occurred: ${message}`,
      details: { causes: [{ message }] },
    },
    options,
  )
}

export function unavailable(message: string, options?: ErrorOptions): StatusError {
  return new StatusError({ code: 503, reason: 'ServiceUnavailable', message }, options)
}

/** Nothing can be stored until somebody makes room: clients must not take it for a moment's failure. */
export function insufficientStorage(message: string, options?: ErrorOptions): StatusError {
  return new StatusError({ code: 507, reason: 'InsufficientStorage', message }, options)
}

export function timeout(message: string, retryAfterSeconds?: number, causes?: StatusCause[]): StatusError {
  return new StatusError({
    code: 504,
    reason: 'Timeout',
    message: `Timeout: ${message}`,
    details: {
      ...(causes !== undefined && { causes }),
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    },
  })
}

const hasReason =
  (reason: StatusReason) =>
  (error: unknown): error is StatusError =>
    error instanceof StatusError && error.reason === reason

export const isNotFound = hasReason('NotFound')
export const isAlreadyExists = hasReason('AlreadyExists')
export const isConflict = hasReason('Conflict')
export const isInvalid = hasReason('Invalid')
export const isForbidden = hasReason('Forbidden')
export const isExpired = (error: unknown): error is StatusError =>
  error instanceof StatusError && (error.reason === 'Expired' || error.reason === 'Gone')
