/**
 * From a parsed body to an object of the kind: is it the right kind, are its fields known.
 *
 * What a client sends too much is dropped, and told by a warning or refused, as `fieldValidation` says.
 */
import { badRequest } from '../../apimachinery/errors/index.js'
import { goTypeOf } from '../../apimachinery/json/value.js'
import { type KubeObject, parseApiVersion } from '../../apimachinery/meta/types.js'
import { metadataTypeFault } from './metadata.js'
import { served } from './served.js'
import { type Catalogue, type ResourceDefinition } from './strategy.js'
import { issueTexts, type WriteOptions } from './writeoptions.js'

const SCHEME = 'k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30'

function pascal(group: string): string {
  return group === '' ? 'core' : (group.split('.')[0] ?? group)
}

/** What a wrong kind is answered with, in the words of the genuine server. */
function wrongKind(
  catalogue: Catalogue,
  { kind, apiVersion }: { kind: string; apiVersion: string },
  definition: ResourceDefinition,
): Error {
  const given = parseApiVersion(apiVersion) ?? { group: '', version: apiVersion }
  const opening = `${kind} in version "${given.version}" cannot be handled as a ${definition.kind}: `
  const known = catalogue.byKind(given.group, given.version, kind)
  if (!known) {
    return badRequest(
      `${opening}no kind "${kind}" is registered for version "${apiVersion}" in scheme "${SCHEME}"`,
    )
  }
  return badRequest(
    `${opening}converting (${given.version}.${kind}) to (${pascal(definition.group)}.${definition.kind}): unknown conversion`,
  )
}

/**
 * Checks kind and apiVersion of a body.
 *
 * @param required where the body must name them itself (custom resources, server-side apply)
 * @throws StatusError 400
 */
export function checkKind(
  catalogue: Catalogue,
  definition: ResourceDefinition,
  object: KubeObject,
  required: boolean,
): void {
  const wanted = served(definition).apiVersion
  for (const field of ['kind', 'apiVersion'] as const) {
    const value: unknown = object[field]
    if (value === undefined || value === null || typeof value === 'string') continue
    throw badRequest(
      `the object provided is unrecognized (must be of type ${definition.kind}): couldn't get version/kind; json parse error: json: cannot unmarshal ${goTypeOf(value)} into Go struct field .${field} of type string`,
    )
  }
  if (required) {
    for (const field of ['kind', 'apiVersion'] as const) {
      if (typeof object[field] === 'string' && object[field] !== '') continue
      const label = field === 'kind' ? 'Kind' : 'apiVersion'
      throw badRequest(
        `Object '${label}' is missing in '${JSON.stringify(object)}': the object provided is unrecognized (must be of type ${definition.kind})`,
      )
    }
  }
  const kind = object.kind || definition.kind
  const apiVersion = object.apiVersion || wanted
  if (kind !== definition.kind || apiVersion !== wanted) {
    if (!definition.custom) throw wrongKind(catalogue, { kind, apiVersion }, definition)
    if (apiVersion !== wanted) {
      throw badRequest(
        `the API version in the data (${apiVersion}) does not match the expected API version (${wanted})`,
      )
    }
    throw served(definition).invalid(object.metadata?.name ?? '', [
      {
        reason: 'FieldValueInvalid',
        field: 'kind',
        message: `Invalid value: ${JSON.stringify(kind)}: must be ${definition.kind}`,
      },
    ])
  }
  object.kind = kind
  object.apiVersion = apiVersion
}

/**
 * Checks types, drops unknown fields, fills defaults.
 *
 * @param duplicates paths of keys that the body held twice
 * @throws StatusError 400
 */
export function decode(
  catalogue: Catalogue,
  definition: ResourceDefinition,
  body: KubeObject,
  options: Pick<WriteOptions, 'fieldValidation' | 'warn'>,
  duplicates: readonly string[] = [],
): KubeObject {
  checkKind(catalogue, definition, body, definition.custom)
  const fault = metadataTypeFault(body.metadata)
  if (fault !== undefined) {
    const { version, kind } = definition
    throw badRequest(
      `${kind} in version "${version}" cannot be handled as a ${kind}: ${fault}: wrong type of value`,
    )
  }
  body.metadata ??= {}
  const issues = { unknown: [] as string[], duplicate: [...duplicates] }
  const object = definition.strategy.decode(body, issues)
  object.metadata ??= {}
  const texts = issueTexts(issues)
  if (texts.length > 0 && options.fieldValidation === 'Strict') {
    const { version, kind } = definition
    throw badRequest(
      `${kind} in version "${version}" cannot be handled as a ${kind}: strict decoding error: ${texts.join(', ')}`,
    )
  }
  if (options.fieldValidation === 'Warn') texts.forEach((text) => options.warn(text))
  definition.strategy.applyDefaults(object)
  return object
}
