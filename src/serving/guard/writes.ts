/**
 * Guarded writes: read the object, work out what it would become, ask the policy, then write exactly that.
 *
 * Between question and write nothing may change. A replacement or patch therefore carries the version that was
 * judged, and a delete the version as a precondition; when somebody else was faster and the client had named no
 * version, it all starts again. What a patch makes of an object only the Kubernetes API knows for certain, so it is
 * asked, by a dry run of the same patch.
 *
 * One gap is left: a server-side apply that creates the object cannot be made to fail when somebody else creates it
 * in the same moment. It has then been judged as a create.
 */
import { badRequest, notFound, type QualifiedResource, StatusError } from '../../apimachinery/errors/index.js'
import { type JsonObject } from '../../apimachinery/json/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { errorOf } from '../../client/answer.js'
import { afterConflict, TRIES } from '../../client/conflicts.js'
import { type BufferedResponse, send, type Transport, type TransportRequest } from '../../client/transport.js'
import { type Exchange } from '../exchange.js'
import { encodePath } from '../path.js'
import { bodilessRequest } from '../upstreamrequest.js'
import { type GuardedWrite, type Policy } from './policy.js'
import {
  deleteOptions,
  demandVersion,
  namedVersion,
  versionedDelete,
  versionedObject,
  versionedPatch,
} from './precondition.js'
import {
  bytesOf,
  objectBody,
  optionsBody,
  PATCH_TYPES,
  patchBody,
  type PatchType,
  patchTypeOf,
} from './requestbody.js'

type Body = JsonObject | JsonObject[]

/** What is sent when the policy agrees. */
interface Prepared {
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path?: string
  type: string
  body: Body | KubeObject
  search?: string
}

export class GuardedWrites {
  constructor(private readonly upstream: Transport) {}

  /** @returns the answer of the Kubernetes API @throws StatusError what the policy, or the API on the way, says */
  async run(exchange: Exchange, policy: Policy, accept: string): Promise<BufferedResponse> {
    const client = await this.#read(exchange, policy)
    for (let tries = 1; ; tries++) {
      try {
        const prepared = await this.#prepare(exchange, policy, client)
        const answer = await this.#send(exchange, prepared, accept)
        if (answer.status !== 409 || !mayRetry(errorOf(409, answer.body), client, tries)) return answer
      } catch (error) {
        if (!(error instanceof StatusError && mayRetry(error, client, tries))) throw error
      }
      await afterConflict(tries)
    }
  }

  async #read(exchange: Exchange, policy: Policy): Promise<ClientWrite> {
    switch (exchange.info.verb) {
      case 'create': {
        const body = await objectBody(exchange)
        return { verb: 'create', body, named: undefined }
      }
      case 'update': {
        const body = await objectBody(exchange)
        return { verb: 'update', body, named: namedVersion(body) }
      }
      case 'patch': {
        const type = patchTypeOf(exchange)
        const body = await patchBody(exchange, type)
        if (policy.conceal && Array.isArray(body)) refuseCopies(body)
        return { verb: 'patch', type, body, named: namedVersion(body) }
      }
      default: {
        const body = (await optionsBody(exchange)) ?? deleteOptions(exchange.search)
        return { verb: 'delete', body, named: body['preconditions'] === undefined ? undefined : 'its own' }
      }
    }
  }

  async #prepare(exchange: Exchange, policy: Policy, client: ClientWrite): Promise<Prepared> {
    const resource = { group: exchange.info.apiGroup, resource: exchange.info.resource }
    switch (client.verb) {
      case 'create': {
        const object = client.body
        const stored = await judge(exchange, policy, { verb: 'create', after: object })
        return { method: 'POST', type: JSON_TYPE, body: stored ?? object }
      }
      case 'update': {
        const before = await this.#demand(exchange, resource)
        demandVersion(resource, client.named, before)
        const object = versionedObject(client.body, before)
        const stored = await judge(exchange, policy, { verb: 'update', before, after: object })
        return { method: 'PUT', type: JSON_TYPE, body: stored ? versionedObject(stored, before) : object }
      }
      case 'patch':
        return this.#preparePatch(exchange, policy, client, resource)
      case 'delete': {
        const before = await this.#demand(exchange, resource)
        await judge(exchange, policy, { verb: 'delete', before })
        return { method: 'DELETE', type: JSON_TYPE, body: versionedDelete(resource, client.body, before) }
      }
    }
  }

  async #preparePatch(
    exchange: Exchange,
    policy: Policy,
    { type, body, named }: ClientPatch,
    resource: QualifiedResource,
  ): Promise<Prepared> {
    const before = await this.#stored(exchange)
    if (before === undefined && type !== 'apply') throw notFound(resource, exchange.info.name)
    if (before !== undefined) demandVersion(resource, named, before)
    const patch: Prepared = {
      method: 'PATCH',
      type: PATCH_TYPES[type],
      body: before === undefined ? body : versionedPatch(type, body, before),
    }
    const tried = await this.#send(exchange, { ...patch, search: dryRunSearch(exchange.search) }, JSON_TYPE)
    const after = objectOf(tried)
    const verb = before === undefined ? 'create' : 'update'
    const stored = await judge(exchange, policy, { verb, before, after })
    if (stored === undefined) return patch
    const search = withoutParameters(exchange.search, ['force'])
    if (before !== undefined)
      return { method: 'PUT', type: JSON_TYPE, body: versionedObject(stored, before), search }
    const { resourceVersion: _, uid: __, ...metadata } = stored.metadata
    const path = exchange.path.replace(/\/[^/]*\/?$/, '')
    return { method: 'POST', path, type: JSON_TYPE, body: { ...stored, metadata }, search }
  }

  async #demand(exchange: Exchange, resource: QualifiedResource): Promise<KubeObject> {
    const stored = await this.#stored(exchange)
    if (stored === undefined) throw notFound(resource, exchange.info.name)
    return stored
  }

  /** The object that the request names, whatever subresource of it. @throws StatusError what the API says */
  async #stored(exchange: Exchange): Promise<KubeObject | undefined> {
    const request: TransportRequest = {
      method: 'GET',
      path: objectPath(exchange),
      headers: { accept: JSON_TYPE, 'audit-id': exchange.id },
    }
    const answer = await send(this.upstream, request, exchange.signal)
    return answer.status === 404 ? undefined : objectOf(answer)
  }

  #send(exchange: Exchange, write: Prepared, accept: string): Promise<BufferedResponse> {
    const { method, type, body, search = exchange.search } = write
    const request = bodilessRequest(exchange, search)
    const bytes = bytesOf(body)
    return send(
      this.upstream,
      {
        ...request,
        method,
        ...(write.path !== undefined && { path: search === '' ? write.path : `${write.path}?${search}` }),
        headers: {
          ...request.headers,
          accept,
          // The answer may have to be read here.
          'accept-encoding': 'identity',
          'content-type': type,
          'content-length': String(bytes.length),
        },
        body: bytes,
      },
      exchange.signal,
    )
  }
}

interface ClientPatch {
  verb: 'patch'
  type: PatchType
  body: Body
  named: string | undefined
}

type ClientWrite =
  | { verb: 'create'; body: KubeObject; named: undefined }
  | { verb: 'update'; body: KubeObject; named: string | undefined }
  | ClientPatch
  | { verb: 'delete'; body: JsonObject; named: string | undefined }

const JSON_TYPE = 'application/json'

/** A stale version is worth another try; a conflict of field managers, or of names, is not. */
function mayRetry({ reason, details }: StatusError, { verb, named }: ClientWrite, tries: number): boolean {
  if (reason !== 'Conflict' || details?.causes?.length) return false
  return verb !== 'create' && named === undefined && tries < TRIES
}

async function judge(
  { info, user, search, signal }: Exchange,
  policy: Policy,
  write: { verb: GuardedWrite['verb']; before?: KubeObject | undefined; after?: KubeObject },
): Promise<KubeObject | undefined> {
  if (policy.indifferentTo?.includes(write.verb)) return undefined
  const named = write.after?.metadata.name
  const judged = await policy.judge?.({
    caller: user,
    verb: write.verb,
    subresource: info.subresource,
    namespace: info.namespace,
    name: info.name || (typeof named === 'string' ? named : ''),
    before: write.before,
    after: write.after,
    dryRun: /(?:^|&)dryRun=All(?:&|$)/.test(search),
    signal,
  })
  return judged ?? undefined
}

/** What is taken out of one field must not be read in another. @throws StatusError 400 */
function refuseCopies(operations: readonly JsonObject[]): void {
  if (operations.some(({ op }) => op === 'copy' || op === 'move'))
    throw badRequest('parts of this resource may not be read: the operations copy and move are not taken')
}

/** @throws StatusError the answer, when it is none */
function objectOf({ status, body }: BufferedResponse): KubeObject {
  if (status < 200 || status > 299) throw errorOf(status, body)
  return JSON.parse(body.toString()) as KubeObject
}

/** Rebuilt from what was authorized, without the subresource. */
export function objectPath({ info }: Exchange): string {
  const { apiPrefix, apiGroup, apiVersion, namespace, resource, name } = info
  const group = apiGroup === '' ? '' : `/${apiGroup}`
  const within = namespace === '' || resource === 'namespaces' ? '' : `/namespaces/${namespace}`
  return encodePath(`/${apiPrefix}${group}/${apiVersion}${within}/${resource}/${name}`)
}

function dryRunSearch(search: string): string {
  const rest = withoutParameters(search, ['dryRun'])
  return rest === '' ? 'dryRun=All' : `${rest}&dryRun=All`
}

function withoutParameters(search: string, names: readonly string[]): string {
  const query = new URLSearchParams(search)
  for (const name of names) query.delete(name)
  return query.toString()
}
