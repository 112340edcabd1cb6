/**
 * What a patch makes of a workspace template, worked out here so that it can be judged before it is written.
 *
 * Patches come from clients and may leave anything anywhere; what is no template is refused by the API.
 */
import { badRequest, StatusError } from '../../../apimachinery/errors/index.js'
import { isObject } from '../../../apimachinery/json/value.js'
import { apiVersionOf, type ObjectMeta } from '../../../apimachinery/meta/types.js'
import { applyJsonPatch, applyMergePatch } from '../../../apimachinery/patch/index.js'
import { tidyPlacement } from '../../../tenancy/placement.js'
import { WORKSPACE_TEMPLATES } from '../../../tenancy/resources.js'
import { type WorkspaceTemplateObject } from '../../../tenancy/types.js'

type Template = WorkspaceTemplateObject

const PLACEMENT = /^\/spec\/placement(?:\/|$)/
const APPENDED = '/spec/placement/clusters/-'

/** An object is a merge patch, an array a JSON patch. @throws StatusError 400, 413, 422 when it does not apply */
export function patched(stored: Template, patch: unknown): Template {
  if (!Array.isArray(patch)) return sameObject(applyMergePatch(stored, patch), stored)
  demandWholePlacements(patch)
  return sameObject(applyJsonPatch(openedFor(patch, stored), patch), stored)
}

/** @throws StatusError 400 for anything but an array */
export function demandOperations(patch: unknown): unknown[] {
  if (Array.isArray(patch)) return patch
  const kind = patch === null ? 'null' : typeof patch === 'boolean' ? 'bool' : typeof patch
  throw badRequest(`json: cannot unmarshal ${kind} into Go value of type jsonpatch.Patch`)
}

export function isAboutPlacement(operation: unknown): boolean {
  return isObject(operation) && typeof operation['path'] === 'string' && PLACEMENT.test(operation['path'])
}

/** Whether the client says which version it means. */
export function namesVersion(patch: unknown): boolean {
  if (!isObject(patch) || !isObject(patch['metadata'])) return false
  return typeof patch['metadata']['resourceVersion'] === 'string'
}

/** What controllers keep a template by; no client takes it away. */
export function kept({ metadata }: Template): Pick<ObjectMeta, 'finalizers' | 'ownerReferences'> {
  const { finalizers, ownerReferences } = metadata
  return { ...(finalizers && { finalizers }), ...(ownerReferences && { ownerReferences }) }
}

/** Placements are patched by whole additions and removals, as clients of 3.4 do. */
function demandWholePlacements(operations: readonly unknown[]): void {
  for (const operation of operations) {
    if (!isAboutPlacement(operation)) continue
    const { op } = operation as { op?: unknown }
    if (op !== 'add' && op !== 'remove') throw badRequest('not support operation type')
  }
}

/** An empty list of clusters is not stored; the first cluster can be added to it nevertheless. */
function openedFor(operations: readonly unknown[], stored: Template): Template {
  const appends = operations.some((operation) => isObject(operation) && operation['path'] === APPENDED)
  const { placement } = stored.spec ?? {}
  if (!appends || !placement || placement.clusters) return stored
  return { ...stored, spec: { ...stored.spec, placement: { ...placement, clusters: [] } } }
}

/** Patches do not reach what says which object this is. */
function sameObject(wanted: Template, stored: Template): Template {
  if (!isObject(wanted.metadata)) throw unpatchable()
  const { uid = '', resourceVersion = '' } = stored.metadata
  const { finalizers: _, ownerReferences: __, ...metadata }: ObjectMeta = wanted.metadata
  const placement = wanted.spec?.placement
  return {
    ...wanted,
    kind: WORKSPACE_TEMPLATES.kind,
    apiVersion: apiVersionOf(WORKSPACE_TEMPLATES),
    metadata: { resourceVersion, ...metadata, uid, ...kept(stored) },
    ...(isObject(placement) && { spec: { ...wanted.spec, placement: tidyPlacement(placement) } }),
  }
}

function unpatchable(): Error {
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
  })
}
