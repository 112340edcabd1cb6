/**
 * Paths below an object: `/status` and `/scale` here for every kind, some by name, the rest by whoever gave
 * the definition a function.
 *
 * What needs a kubelet and has none behind it is answered at once and says so.
 */
import {
  badRequest,
  methodNotAllowed,
  noSuchResource,
  notFound,
  StatusError,
} from '../../../apimachinery/errors/index.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { decode } from '../../registry/decode.js'
import { served } from '../../registry/served.js'
import { type ResourceDefinition, type SubresourceDefinition } from '../../registry/strategy.js'
import { contextOf } from '../../registry/writeoptions.js'
import { type Api } from '../api.js'
import { objectBody } from '../body.js'
import { notImplemented } from '../errors.js'
import { type Exchange } from '../exchange.js'
import { negotiate } from '../negotiate.js'
import { answerJson } from '../output.js'
import { writeOptions } from '../query.js'
import { patch, patchType, readPatch } from './patch.js'
import { proxy } from './proxy.js'
import { get } from './read.js'
import { scale } from './scale.js'
import { answerWritten, update } from './write.js'

const WRITABLE = ['get', 'patch', 'update']

export async function subresource(
  api: Api,
  exchange: Exchange,
  definition: ResourceDefinition,
): Promise<void> {
  const { subresource: name, verb } = exchange.requestInfo
  if (name === 'status' && definition.strategy.statusSubresource) {
    if (!WRITABLE.includes(verb)) throw methodNotAllowed()
    return { get, patch, update }[verb as 'get']?.(api, exchange, definition)
  }
  if (name === 'scale' && definition.scale) {
    if (!WRITABLE.includes(verb)) throw methodNotAllowed()
    return scale(api, exchange, definition, definition.scale)
  }
  const found = definition.subresources.find((each) => each.name === name)
  if (!found) throw noSuchResource()
  if (!found.verbs.includes(verb)) throw methodNotAllowed()
  const part = PARTS[`${definition.resource}/${name}`]
  if (part) return updatePart(api, exchange, definition, part)
  const create = found.create ?? api.subresources[`${definition.resource}/${name}`]
  if (create && verb === 'create') return createBelow(api, exchange, definition, found, create)
  if (name === 'proxy' && definition.group === '') {
    await admitted(api, exchange, definition, name)
    return proxy(api, exchange, definition)
  }
  if (await connected(api, exchange, definition, name)) return
  await unserved(api, exchange, definition, name)
}

/** Hands the request to whoever plays the kubelet. @returns false when nobody does */
async function connected(
  api: Api,
  exchange: Exchange,
  definition: ResourceDefinition,
  below: string,
): Promise<boolean> {
  const path = `${definition.resource}/${below}`
  const connect = Object.hasOwn(api.connections, path) ? api.connections[path] : undefined
  const { namespace, name } = exchange.requestInfo
  const entry = connect && api.storage.get(served(definition).key(namespace, name))
  if (!entry || !connect) return false
  if (below !== 'log') await admitted(api, exchange, definition, below)
  return connect(exchange, await served(definition).object(entry.value))
}

/** @throws StatusError 403 when an admission refuses */
async function admitted(
  api: Api,
  exchange: Exchange,
  definition: ResourceDefinition,
  below: string,
): Promise<void> {
  const { namespace, name: id } = exchange.requestInfo
  // `name`, `name:port` or `scheme:name:port`.
  const parts = below === 'proxy' ? id.split(':') : [id]
  const context = contextOf(writeOptions(exchange, 'CreateOptions', below), api.clock.now())
  await api.registry.admit({
    operation: 'CONNECT',
    definition,
    subresource: below,
    namespace,
    name: parts[parts.length === 3 ? 1 : 0] ?? '',
    object: undefined,
    previous: undefined,
    context,
    whenSettled() {},
  })
}

/** Subresources that write one part of their object: where from, where to. */
const PARTS: Record<string, (current: KubeObject, sent: KubeObject) => KubeObject> = {
  'namespaces/finalize'(current, sent) {
    const { finalizers } = (sent.spec ?? {}) as { finalizers?: string[] }
    const { finalizers: _kept, ...spec } = (current.spec ?? {}) as Record<string, unknown>
    return { ...current, spec: finalizers?.length ? { ...spec, finalizers } : spec }
  },
  'certificatesigningrequests/approval'(current, sent) {
    const { conditions } = (sent.status ?? {}) as { conditions?: unknown }
    return { ...current, status: { ...(current.status as object | undefined), conditions } }
  },
}

async function updatePart(
  api: Api,
  exchange: Exchange,
  definition: ResourceDefinition,
  part: (current: KubeObject, sent: KubeObject) => KubeObject,
): Promise<void> {
  const { namespace, name, subresource: below, verb } = exchange.requestInfo
  if (verb === 'get') return get(api, exchange, definition)
  const form = negotiate(exchange, definition, 'get')
  const named = (sent: KubeObject, current: KubeObject): KubeObject => {
    const { metadata } = sent
    if (metadata.name !== name) {
      throw badRequest(
        `the name of the object (${metadata.name ?? ''}) does not match the name on the URL (${name})`,
      )
    }
    // Labels, annotations and finalizers are written along, as with a status.
    return { ...part(current, sent), metadata }
  }
  if (verb === 'patch') {
    const type = patchType(exchange, definition)
    const options = writeOptions(exchange, 'PatchOptions', below, type.includes('apply'))
    const change = await readPatch(api, exchange, definition, type)
    const written = await api.registry.update(
      definition,
      namespace,
      name,
      (current) =>
        named(decode(api.catalogue, definition, structuredClone(change(current)), options), current),
      options,
    )
    return answerWritten(api, exchange, definition, written, form)
  }
  const options = writeOptions(exchange, 'UpdateOptions', below)
  const { object: body, duplicates } = await objectBody(exchange, definition)
  const sent = decode(api.catalogue, definition, body, options, duplicates)
  const written = await api.registry.update(
    definition,
    namespace,
    name,
    (current) => named(structuredClone(sent), current),
    options,
  )
  await answerWritten(api, exchange, definition, written, form)
}

/** POST below an object: a token, a binding, an eviction. */
async function createBelow(
  api: Api,
  exchange: Exchange,
  definition: ResourceDefinition,
  found: SubresourceDefinition,
  create: NonNullable<SubresourceDefinition['create']>,
): Promise<void> {
  const { namespace, name } = exchange.requestInfo
  const form = negotiate(exchange, undefined, '')
  const options = writeOptions(exchange, 'CreateOptions', found.name)
  const { object: body } = await objectBody(exchange, definition, found.kind)
  if (body.kind !== undefined && body.kind !== '' && body.kind !== found.kind) {
    throw badRequest(`${body.kind} cannot be handled as a ${found.kind}`)
  }
  body.metadata ??= {}
  const entry = api.storage.get(served(definition).key(namespace, name))
  if (!entry) throw notFound(definition, name)
  const context = contextOf(options, api.clock.now())
  await api.registry.admit({
    operation: 'CREATE',
    definition,
    subresource: found.name,
    namespace,
    name,
    object: body,
    previous: undefined,
    context,
    whenSettled() {},
  })
  const parent = await served(definition).object(entry.value)
  answerJson(exchange, 201, await create(parent, body, { namespace, name }, context), form)
}

interface PodParts extends KubeObject {
  spec: { nodeName?: string; containers?: { name: string }[] }
}

/** @throws StatusError 400, 404, 500, 501: always one of them */
async function unserved(
  api: Api,
  exchange: Exchange,
  definition: ResourceDefinition,
  below: string,
): Promise<never> {
  const { namespace, name } = exchange.requestInfo
  const entry = api.storage.get(served(definition).key(namespace, name))
  if (!entry) throw notFound(definition, name)
  if (definition.group !== '' || definition.resource !== 'pods') {
    throw notImplemented(`${definition.resource}/${below} is not served by this server`)
  }
  const pod = (await served(definition).object(entry.value)) as PodParts
  const { nodeName, containers = [] } = pod.spec
  const container = exchange.query.get('container') ?? containers[0]?.name ?? ''
  if (!nodeName) {
    throw badRequest(`pod ${name} does not have a host assigned`)
  }
  const path =
    below === 'log' ? `containerLogs/${namespace}/${name}/${container}` : `${below}/${namespace}/${name}`
  throw new StatusError({
    code: 500,
    reason: '',
    message: `Get "https://${nodeName}:10250/${path}": dial tcp: no kubelet is behind node ${nodeName}`,
  })
}
