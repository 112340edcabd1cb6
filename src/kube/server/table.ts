/**
 * The Table form: what `kubectl get` prints, computed here.
 *
 * `includeObject` says what stands behind each row: `Metadata` (default), `Object`, `None`.
 */
import { badRequest } from '../../apimachinery/errors/index.js'
import { type KubeObject, type ListMeta } from '../../apimachinery/meta/types.js'
import { parse, type Served } from '../registry/served.js'

export type IncludeObject = 'Metadata' | 'Object' | 'None'

export interface TableRequest {
  version: 'v1' | 'v1beta1'
  includeObject: IncludeObject
}

/** @throws StatusError 400 */
export function includeObject(query: URLSearchParams): IncludeObject {
  const given = query.get('includeObject') || 'Metadata'
  if (given === 'Metadata' || given === 'Object' || given === 'None') return given
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(given)}`)
}

export function partialMetadata(object: Readonly<KubeObject>, version: string): unknown {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata }
}

function row(
  resource: Served,
  object: Readonly<KubeObject>,
  request: TableRequest,
  now: Date,
): { cells: unknown[]; object?: unknown } {
  const cells = resource.definition.strategy.cells(object, now)
  if (request.includeObject === 'None') return { cells, object: null }
  if (request.includeObject === 'Object') return { cells, object }
  return { cells, object: partialMetadata(object, request.version) }
}

export interface TableOptions {
  request: TableRequest
  metadata: ListMeta
  now: Date
  /** False for all but the first event of a watch. */
  header: boolean
}

/** @param wires objects as JSON of the served version */
export function table(resource: Served, wires: readonly Buffer[], options: TableOptions): unknown {
  const { request, metadata, now, header } = options
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${request.version}`,
    metadata,
    columnDefinitions: header ? resource.definition.strategy.columns : null,
    rows: wires.map((wire) => row(resource, parse(wire), request, now)),
  }
}
