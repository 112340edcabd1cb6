/**
 * Ties a write to the version of the object that was judged: what has changed since is not overwritten, and what was
 * not seen is not deleted.
 */
import { conflict, type QualifiedResource, STALE } from '../../apimachinery/errors/index.js'
import { isObject, type JsonObject } from '../../apimachinery/json/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type PatchType } from './requestbody.js'

const VERSION_PATH = '/metadata/resourceVersion'

/** The version a client has named itself, if any; then a conflict is theirs to hear of. */
export function namedVersion(body: JsonObject | readonly JsonObject[]): string | undefined {
  if (!Array.isArray(body)) return versionIn(body as JsonObject)
  for (const operation of body as JsonObject[])
    if (operation['path'] === VERSION_PATH && typeof operation['value'] === 'string')
      return operation['value'] || undefined
  return undefined
}

/** @throws StatusError 409 when the client means another version */
export function demandVersion(
  resource: QualifiedResource,
  named: string | undefined,
  stored: KubeObject,
): void {
  if (named !== undefined && named !== stored.metadata.resourceVersion)
    throw conflict(resource, stored.metadata.name ?? '', STALE)
}

export function versionedObject(object: KubeObject, { metadata }: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: metadata.resourceVersion ?? '' } }
}

/** The same patch, good for that version alone. */
export function versionedPatch(
  type: PatchType,
  patch: JsonObject | readonly JsonObject[],
  stored: KubeObject,
): JsonObject | JsonObject[] {
  const version = stored.metadata.resourceVersion ?? ''
  // Last, so that no operation of the client can undo it.
  if (type === 'json')
    return [...(patch as readonly JsonObject[]), { op: 'add', path: VERSION_PATH, value: version }]
  const { metadata } = patch as JsonObject
  return {
    ...(patch as JsonObject),
    metadata: { ...(isObject(metadata) ? metadata : {}), resourceVersion: version },
  }
}

/**
 * Options of a delete that came without a body. The Kubernetes API reads either the body or the query, and a body is
 * what it is going to get.
 */
export function deleteOptions(search: string): JsonObject {
  const query = new URLSearchParams(search)
  const options: JsonObject = {}
  const [policy, grace, orphans] = [
    query.get('propagationPolicy'),
    query.get('gracePeriodSeconds'),
    query.get('orphanDependents'),
  ]
  if (query.has('dryRun')) options['dryRun'] = query.getAll('dryRun')
  if (policy !== null) options['propagationPolicy'] = policy
  if (grace !== null && /^-?\d+$/.test(grace)) options['gracePeriodSeconds'] = Number(grace)
  if (orphans !== null) options['orphanDependents'] = !/^(?:false|0)$/i.test(orphans)
  return options
}

/** @throws StatusError 409 when the client means another object or version */
export function versionedDelete(
  resource: QualifiedResource,
  options: JsonObject,
  { metadata }: KubeObject,
): JsonObject {
  const given = options['preconditions']
  const { uid = '', resourceVersion = '', name = '' } = metadata
  for (const [key, value] of Object.entries({ uid, resourceVersion })) {
    const wanted = isObject(given) ? given[key] : undefined
    if (typeof wanted === 'string' && wanted !== '' && wanted !== value)
      throw conflict(
        resource,
        name,
        `the precondition ${key} (${wanted}) does not match that of the object (${value})`,
      )
  }
  return { kind: 'DeleteOptions', apiVersion: 'v1', ...options, preconditions: { uid, resourceVersion } }
}

function versionIn({ metadata }: JsonObject): string | undefined {
  const version = isObject(metadata) ? metadata['resourceVersion'] : undefined
  return typeof version === 'string' && version !== '' ? version : undefined
}
