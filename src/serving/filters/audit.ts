/**
 * Records who did what. Runs after authorization: refused requests are not audited.
 *
 * Bodies are copied as they go by, up to a bound, and only when the level wants them; nothing is held back.
 */
import {
  atLeast,
  AUDIT_LEVELS,
  type AuditEvent,
  auditEvent,
  type AuditLevel,
  type AuditSink,
  type DevopsProject,
} from '../audit.js'
import { type Exchange, type Filter } from '../exchange.js'
import { type RequestInfo } from '../requestinfo.types.js'

/** One of those who are told: each with a level of its own. */
export interface AuditOptions {
  sink: AuditSink
  /** The level in force; asked for every request, so it must be cheap. */
  level(info: RequestInfo): AuditLevel
  /** The Kubernetes API does its own auditing: its requests are left out here. */
  kubernetesAudited(): boolean
  devops?: (devops: string) => DevopsProject | undefined
}

/** Largest body that is kept, of each kind. */
const BODY_BYTES = 1024 * 1024

export function audit(recipients: readonly AuditOptions[], bodyBytes = BODY_BYTES): Filter {
  return {
    name: 'audit',
    handle(exchange, next) {
      const levels = recipients.map((recipient) => levelFor(recipient, exchange))
      const level = highest(levels)
      if (level === 'None') return next()
      const receivedAt = new Date()
      const { info } = exchange
      // A create names its object in the body, and an update of a user may switch the account.
      const wantsBody = info.verb === 'create' || (info.verb === 'update' && info.resource === 'users')
      const copyOfRequest =
        atLeast(level, 'Request') || wantsBody ? copyRequest(exchange, bodyBytes) : undefined
      const copyOfResponse = atLeast(level, 'RequestResponse') ? copyResponse(exchange, bodyBytes) : undefined
      exchange.whenOver(() => {
        const { id, user } = exchange
        const status = exchange.response.statusCode
        const completedAt = new Date()
        for (const [i, { sink, devops }] of recipients.entries()) {
          const own = levels[i] ?? 'None'
          if (own === 'None') continue
          const ownResponse = atLeast(own, 'RequestResponse') ? copyOfResponse : undefined
          // Put together when the event is made: the request does not wait for that.
          const event = (): AuditEvent =>
            auditEvent({
              id,
              level: own,
              info,
              user,
              status,
              receivedAt,
              completedAt,
              requestBody: copyOfRequest?.body(),
              responseBody: ownResponse?.body(),
              project: info.devops === '' ? undefined : devops?.(info.devops),
            })
          sink.accept(event, (copyOfRequest?.bytes ?? 0) + (ownResponse?.bytes ?? 0))
        }
      })
      return next()
    },
    async explain(exchange) {
      const level = highest(recipients.map((recipient) => levelFor(recipient, exchange)))
      return { outcome: 'continues', summary: `level ${level}`, detail: { level } }
    },
  }
}

function levelFor(recipient: AuditOptions, exchange: Exchange): AuditLevel {
  const { info } = exchange
  if (info.isKubernetesRequest && (recipient.kubernetesAudited() || isDryRun(exchange))) return 'None'
  return recipient.level(info)
}

const CHANGES: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])
const CHANGED: ReadonlySet<string> = new Set(['', 'status', 'scale'])

/**
 * Only what the Kubernetes API takes for one: commands in a pod run whatever the query says, reads read, and a deletion
 * with options in its body goes by those alone.
 */
function isDryRun({ info, search, request }: Exchange): boolean {
  if (!CHANGES.has(info.verb) || !CHANGED.has(info.subresource) || !/dryrun|%/i.test(search)) return false
  if (!new URLSearchParams(search).getAll('dryRun').includes('All')) return false
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers
  return !(info.verb.startsWith('delete') && (length !== '0' || encoding !== undefined))
}

function highest(levels: readonly AuditLevel[]): AuditLevel {
  return AUDIT_LEVELS.findLast((level) => levels.includes(level)) ?? 'None'
}

/** What has gone by. */
class Copy {
  #chunks: Uint8Array[] | undefined = []
  bytes = 0

  constructor(private readonly limitBytes: number) {}

  add(chunk: Uint8Array): void {
    if (!this.#chunks) return
    this.bytes += chunk.byteLength
    if (this.bytes <= this.limitBytes) this.#chunks.push(ofItsOwn(chunk))
    else {
      this.#chunks = undefined
      this.bytes = 0
    }
  }

  /** @returns undefined when it was more than the bound */
  body(): Uint8Array | undefined {
    return this.#chunks?.length === 1 ? this.#chunks[0] : this.#chunks && Buffer.concat(this.#chunks)
  }
}

/** A small piece of something large, such as what a socket has read, would keep all of it while it waits. */
function ofItsOwn(chunk: Uint8Array): Uint8Array {
  return chunk.buffer.byteLength > chunk.byteLength * 2 ? Buffer.from(chunk) : chunk
}

function copyRequest(exchange: Exchange, limitBytes: number): Copy {
  const copy = new Copy(limitBytes)
  exchange.tapRequest = (chunk) => copy.add(chunk)
  return copy
}

/** Looks over the shoulder of `write` and `end`; a watch is not an object and is not kept. */
function copyResponse(exchange: Exchange, limitBytes: number): Copy | undefined {
  const { response, info } = exchange
  if (info.verb === 'watch') return undefined
  exchange.answerIsCopied = true
  const copy = new Copy(limitBytes)
  const keep = (chunk: unknown): void => {
    if (typeof chunk === 'string') copy.add(Buffer.from(chunk))
    else if (chunk instanceof Uint8Array) copy.add(chunk)
  }
  // The overloads of both differ only in arguments that are passed on as they come.
  const write = response.write.bind(response) as (...all: unknown[]) => boolean
  const end = response.end.bind(response) as (...all: unknown[]) => typeof response
  response.write = ((...all: unknown[]) => {
    keep(all[0])
    return write(...all)
  }) as typeof response.write
  response.end = ((...all: unknown[]) => {
    keep(all[0])
    return end(...all)
  }) as typeof response.end
  return copy
}
