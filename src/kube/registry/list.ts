/**
 * The reading half of the registry: one object, pages of lists, at which revision.
 *
 * Lists are cut from a snapshot of the store and stay bytes; nothing is parsed unless a field selector
 * asks for more than names.
 */
import {
  badRequest,
  expired,
  invalid,
  notFound,
  type StatusError,
  timeout,
  type FieldFault,
} from '../../apimachinery/errors/index.js'
import { Compacted, type KeyValue, type Storage } from '../storage/interface.js'
import { continueAfter, decodeContinue } from './continuation.js'
import { type Filter } from './selectors.js'
import { served } from './served.js'
import { type Caller, type ResourceDefinition } from './strategy.js'

export interface ListOptions {
  /** "" is unset. */
  resourceVersion: string
  resourceVersionMatch: string
  /** 0 is unlimited. */
  limit: number
  continue: string
  filter: Filter
  caller?: Caller
}

export interface Page {
  items: KeyValue[]
  revision: number
  /** "" at the end of the list. */
  continue: string
  remaining?: number
}

/** How long a read waits for a revision that is not there yet. */
const FRESH_MS = 3000
/** Keys read at a time where a selector leaves some out. */
const CHUNK = 500

/** @throws StatusError 400 for what is no number */
export function parseRevision(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw badRequest(
    `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  )
}

/** @throws StatusError 422 for resourceVersionMatch where it makes no sense */
function checkMatch(options: ListOptions): void {
  const { resourceVersion, resourceVersionMatch: match } = options
  if (match === '') return
  const faults: FieldFault[] = []
  const fault = (reason: FieldFault['reason'], message: string): void => {
    faults.push({ reason, field: 'resourceVersionMatch', message })
  }
  if (resourceVersion === '') {
    fault(
      'FieldValueForbidden',
      'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    )
  }
  if (options.continue !== '') {
    fault('FieldValueForbidden', 'Forbidden: resourceVersionMatch is forbidden when continue is provided')
  }
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    fault(
      'FieldValueNotSupported',
      `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan", ""`,
    )
  }
  if (match === 'Exact' && resourceVersion === '0') {
    fault(
      'FieldValueForbidden',
      'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    )
  }
  if (faults.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', faults)
}

/** @throws StatusError 504 when the revision does not come in time */
export async function waitForRevision(storage: Storage, revision: number, caller?: Caller): Promise<void> {
  if (storage.revision >= revision) return
  if (await storage.waitFor(revision, FRESH_MS, caller?.signal)) return
  throw timeout(`Too large resource version: ${revision}, current: ${storage.revision}`, 1, [
    { reason: 'ResourceVersionTooLarge', message: 'Too large resource version' },
  ])
}

function tooOld(wanted: number, { oldest }: Compacted): StatusError {
  return expired(`too old resource version: ${wanted} (${oldest})`)
}

/** @returns the newest state, not older than `resourceVersion` @throws StatusError 404, 504 */
export async function readOne(
  storage: Storage,
  definition: ResourceDefinition,
  namespace: string,
  name: string,
  resourceVersion: string,
  caller?: Caller,
): Promise<KeyValue> {
  if (resourceVersion !== '') await waitForRevision(storage, parseRevision(resourceVersion), caller)
  const entry = storage.get(served(definition).key(namespace, name))
  if (!entry) throw notFound(definition, name)
  return entry
}

/**
 * One page of a list, sorted by key.
 *
 * @throws StatusError 400, 410 (with a token that goes on, where there was one), 422, 504
 */
export async function readList(
  storage: Storage,
  definition: ResourceDefinition,
  namespace: string,
  options: ListOptions,
): Promise<Page> {
  checkMatch(options)
  const prefix = served(definition).keysPrefix(namespace)
  if (options.continue !== '') {
    if (options.resourceVersion !== '') {
      throw badRequest('specifying resource version is not allowed when using continue')
    }
    const { revision, start } = decodeContinue(options.continue)
    if (revision < 0) return collect(storage, definition, prefix, prefix + start, undefined, options)
    try {
      return collect(storage, definition, prefix, prefix + start, revision, options)
    } catch (error) {
      if (!(error instanceof Compacted)) throw error
      const token = continueAfter((prefix + start).slice(0, -1), prefix, -1)
      throw expired(tooOld(revision, error).message, { continue: token })
    }
  }
  const wanted = options.resourceVersion === '' ? 0 : parseRevision(options.resourceVersion)
  await waitForRevision(storage, wanted, options.caller)
  const { resourceVersionMatch: match, limit } = options
  const exact = match === 'Exact' || (match === '' && wanted > 0 && limit > 0)
  try {
    return collect(storage, definition, prefix, undefined, exact ? wanted : undefined, options)
  } catch (error) {
    throw error instanceof Compacted ? tooOld(wanted, error) : error
  }
}

/** Reads at `revision`, or the newest. @throws Compacted */
function collect(
  storage: Storage,
  definition: ResourceDefinition,
  prefix: string,
  start: string | undefined,
  revision: number | undefined,
  { limit, filter }: ListOptions,
): Page {
  const at = (from: string | undefined, count: number): ReturnType<Storage['list']> =>
    storage.list(prefix, {
      ...(from !== undefined && { start: from }),
      ...(count > 0 && { limit: count }),
      ...(revision !== undefined && { revision }),
    })
  if (filter.everything) {
    const { items, revision: read, remaining } = at(start, limit)
    const last = items.at(-1)
    if (remaining === 0 || !last) return { items, revision: read, continue: '' }
    return { items, revision: read, continue: continueAfter(last.key, prefix, read), remaining }
  }
  const exactKey = filter.name !== undefined && (namespaceOf(definition, prefix) || !definition.namespaced)
  if (exactKey) {
    const key = prefix + filter.name
    const { items, revision: read } = storage.list(key, {
      limit: 1,
      ...(revision !== undefined && { revision }),
    })
    const found = items.filter((entry) => entry.key === key && filter.matches(entry.key, entry.value))
    return { items: found, revision: read, continue: '' }
  }
  const matching: KeyValue[] = []
  let from = start
  for (;;) {
    const chunk = at(from, limit > 0 ? CHUNK : 0)
    // Later chunks come from the snapshot of the first.
    revision ??= chunk.revision
    for (const entry of chunk.items) {
      if (limit > 0 && matching.length === limit) {
        if (filter.matches(entry.key, entry.value)) {
          const last = matching[limit - 1]?.key ?? ''
          return {
            items: matching,
            revision: chunk.revision,
            continue: continueAfter(last, prefix, revision),
          }
        }
      } else if (filter.matches(entry.key, entry.value)) matching.push(entry)
    }
    const last = chunk.items.at(-1)
    if (chunk.remaining === 0 || !last) return { items: matching, revision: chunk.revision, continue: '' }
    from = `${last.key}\u0000`
  }
}

function namespaceOf({ keyPrefix }: ResourceDefinition, prefix: string): boolean {
  return prefix.length > keyPrefix.length + 1
}
