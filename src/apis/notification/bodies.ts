/** The bodies of writes: what is not part of the object is dropped, and labels of ownership are not the client's. */
import { type Static, type TSchema, Type } from '../../apimachinery/schema/type.js'
import { badRequest, invalid } from '../../apimachinery/errors/index.js'
import { unsupportedValue } from '../../apimachinery/errors/faults.js'
import { isObject, type JsonObject } from '../../apimachinery/json/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { MetadataBody, typedMetadata } from '../../tenancy/typedmetadata.js'
import { type NotificationKind } from './kinds.js'

const optional = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))
const map = optional(Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()])))

export const ObjectBody = Type.Object({
  metadata: MetadataBody.properties.metadata,
  spec: optional(Type.Object({}, { additionalProperties: true })),
  data: map,
  stringData: map,
  binaryData: map,
  type: optional(Type.String()),
  immutable: optional(Type.Boolean()),
})

/** Credentials only. Others mean something to Kubernetes: it would put a token into the secret of an account. */
const SECRET_TYPES = [
  'Opaque',
  'kubernetes.io/basic-auth',
  'kubernetes.io/ssh-auth',
  'kubernetes.io/tls',
  'kubernetes.io/dockercfg',
  'kubernetes.io/dockerconfigjson',
]

/** @throws StatusError 422 for a secret of a kind that is not for credentials */
export function typedBody(kind: NotificationKind, body: Static<typeof ObjectBody>): KubeObject {
  const { namespace: _, ownerReferences: _ignored, ...metadata } = typedMetadata(body)
  if (kind.namespace === '') return { metadata, spec: { ...body.spec } }
  const { data, stringData, binaryData, type, immutable } = body
  if (kind.type.kind === 'Secret' && type && !SECRET_TYPES.includes(type))
    throw invalid({ group: '', kind: 'Secret' }, metadata.name ?? '', [
      unsupportedValue('type', type, SECRET_TYPES),
    ])
  return {
    metadata,
    ...(data && { data }),
    ...(kind.type.kind === 'Secret' && stringData && { stringData }),
    ...(kind.type.kind === 'Secret' && type && { type }),
    ...(kind.type.kind === 'ConfigMap' && binaryData && { binaryData }),
    ...(typeof immutable === 'boolean' && { immutable }),
  }
}

/**
 * A merge patch without what a client may not change.
 * @throws StatusError 400
 */
export function typedPatch(bytes: unknown): { metadata: JsonObject; rest: JsonObject } {
  const value = jsonOf(bytes)
  if (!isObject(value)) throw badRequest('Invalid JSON Patch')
  const { metadata, spec, data, stringData, immutable } = value
  if (metadata !== undefined && !isObject(metadata)) throw badRequest('metadata must be an object')
  const { name, uid, resourceVersion, labels, annotations } = metadata ?? {}
  return {
    metadata: {
      ...(name !== undefined && { name }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
    },
    rest: {
      ...(spec !== undefined && { spec }),
      ...(data !== undefined && { data }),
      ...(stringData !== undefined && { stringData }),
      ...(immutable !== undefined && { immutable }),
    },
  }
}

function jsonOf(bytes: unknown): unknown {
  try {
    return JSON.parse(Buffer.from(bytes as Uint8Array).toString('utf8'))
  } catch (error) {
    throw badRequest('Invalid JSON Patch', { cause: error })
  }
}
