/** What a client says about a deletion: in the query, or in a body of DeleteOptions that need not be there. */
import { badRequest } from '../../../apimachinery/errors/index.js'
import { isObject } from '../../../apimachinery/json/value.js'
import { parseJson } from '../../../serving/body.js'
import { isDryRun } from '../../../tenancy/typedmetadata.js'

export interface Deletion {
  dryRun: boolean
  /** What depends on the object stays. */
  orphan: boolean
  /** Only this very object is meant, or this very version of it. */
  preconditions: { uid?: string; resourceVersion?: string }
}

/** @throws StatusError 400 for a body that cannot be read: it may say that this is a trial, or which object is meant */
export function deletionOf(body: unknown, query: URLSearchParams): Deletion {
  const { dryRun, propagationPolicy, preconditions } = optionsIn(body)
  const asked = new URLSearchParams(query)
  if (Array.isArray(dryRun)) for (const value of dryRun) asked.append('dryRun', String(value))
  const { uid, resourceVersion } = isObject(preconditions) ? preconditions : {}
  return {
    dryRun: isDryRun(asked),
    orphan: propagationPolicy === 'Orphan',
    preconditions: {
      ...(typeof uid === 'string' && uid !== '' && { uid }),
      ...(typeof resourceVersion === 'string' && resourceVersion !== '' && { resourceVersion }),
    },
  }
}

function optionsIn(body: unknown): Record<string, unknown> {
  if (!(body instanceof Uint8Array) || body.length === 0) return {}
  const value = parseJson(body)
  if (!isObject(value)) throw badRequest('the body of a deletion must be DeleteOptions')
  return value
}
