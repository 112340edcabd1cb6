/**
 * JSON patch, RFC 6902, with the answers of kube-apiserver: what cannot be applied is 422, what is no patch
 * 400, more than 10,000 operations 413.
 *
 * Own code instead of a library: it must neither change its input nor reach prototypes, and it is short.
 */
import { badRequest, StatusError } from '../errors/index.js'
import { isTooDeep } from '../json/depth.js'
import { equal, goTypeOf, isObject, setOwn } from '../json/value.js'

const MAX_OPERATIONS = 10_000
const MAX_COPIED_BYTES = 3 * 1024 * 1024
const REJECTED = 'the server rejected our request due to an error in our request'

class NotApplicable extends Error {}

/**
 * @returns a new object; `target` is not modified
 * @throws StatusError 400, 413, 422
 */
export function applyJsonPatch<T extends object>(target: T, patch: unknown): T {
  if (!Array.isArray(patch)) {
    throw badRequest(`json: cannot unmarshal ${goTypeOf(patch)} into Go value of type jsonpatch.Patch`)
  }
  if (patch.length > MAX_OPERATIONS) {
    throw new StatusError({
      code: 413,
      reason: 'RequestEntityTooLarge',
      message: `Request entity too large: The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
    })
  }
  const stray: unknown = patch.find((operation) => !isObject(operation))
  if (stray !== undefined) {
    throw badRequest(`json: cannot unmarshal ${goTypeOf(stray)} into Go value of type jsonpatch.Operation`)
  }
  try {
    let document: unknown = structuredClone(target)
    const copies = { bytes: 0 }
    for (const operation of patch as Record<string, unknown>[]) document = apply(document, operation, copies)
    if (!isObject(document) || isTooDeep(document)) throw new NotApplicable()
    return document as T
  } catch (error) {
    if (!(error instanceof NotApplicable)) throw error
    throw new StatusError({ code: 422, reason: 'Invalid', message: REJECTED, details: {} })
  }
}

/** Works in place on a copy nobody else holds; values taken from the patch are copied in. */
function apply(document: unknown, operation: Record<string, unknown>, copies: { bytes: number }): unknown {
  const path = pointer(operation['path'])
  switch (operation['op']) {
    case 'add':
      return add(document, path, value(operation))
    case 'remove':
      remove(document, path)
      return document
    case 'replace':
      if (path.length === 0) return value(operation)
      get(document, path)
      put(document, path, value(operation))
      return document
    case 'move': {
      const from = pointer(operation['from'])
      const moved = get(document, from)
      if (path.length > from.length && from.every((part, i) => part === path[i])) throw new NotApplicable()
      remove(document, from)
      return add(document, path, moved)
    }
    case 'copy':
      return add(document, path, copy(get(document, pointer(operation['from'])), copies))
    case 'test':
      test(document, path, operation['value'])
      return document
    default:
      throw new NotApplicable()
  }
}

/** Each copy may double the object, so what all of them add is bounded. @throws StatusError 413 */
function copy(original: unknown, copies: { bytes: number }): unknown {
  if (isTooDeep(original)) throw new NotApplicable()
  const text = JSON.stringify(original)
  copies.bytes += text.length
  if (copies.bytes <= MAX_COPIED_BYTES) return JSON.parse(text) as unknown
  throw new StatusError({
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: `Request entity too large: Unable to complete the copy, the accumulated size increase of copy is ${copies.bytes}, exceeding the limit ${MAX_COPIED_BYTES}`,
  })
}

function value(operation: Record<string, unknown>): unknown {
  if (!Object.hasOwn(operation, 'value')) throw new NotApplicable()
  return structuredClone(operation['value'])
}

/** As the original's library does, the absence of a key passes a test for null. */
function test(document: unknown, path: readonly string[], expected: unknown): void {
  let actual: unknown
  try {
    actual = get(document, path)
  } catch (error) {
    if (!(error instanceof NotApplicable) || (expected ?? null) !== null) throw error
    actual = null
  }
  if (!equal(actual, expected ?? null)) throw new NotApplicable()
}

function pointer(text: unknown): string[] {
  if (typeof text !== 'string') throw new NotApplicable()
  if (text === '') return []
  if (!text.startsWith('/')) throw new NotApplicable()
  return text
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function get(document: unknown, path: readonly string[]): unknown {
  return path.reduce((container: unknown, part) => {
    if (Array.isArray(container)) return container[index(container, part, container.length - 1)] as unknown
    if (!isObject(container) || !Object.hasOwn(container, part)) throw new NotApplicable()
    return container[part]
  }, document)
}

function split(document: unknown, path: readonly string[]): { container: unknown; key: string } {
  const key = path.at(-1)
  if (key === undefined) throw new NotApplicable()
  return { container: get(document, path.slice(0, -1)), key }
}

function add(document: unknown, path: readonly string[], added: unknown): unknown {
  if (path.length === 0) return added
  const { container, key } = split(document, path)
  if (Array.isArray(container)) {
    const at = key === '-' ? container.length : index(container, key, container.length)
    container.splice(at, 0, added)
  } else if (isObject(container)) setOwn(container, key, added)
  else throw new NotApplicable()
  return document
}

function put(document: unknown, path: readonly string[], replacement: unknown): void {
  const { container, key } = split(document, path)
  if (Array.isArray(container)) container[index(container, key, container.length - 1)] = replacement
  else if (isObject(container)) setOwn(container, key, replacement)
}

function remove(document: unknown, path: readonly string[]): void {
  const { container, key } = split(document, path)
  if (Array.isArray(container)) container.splice(index(container, key, container.length - 1), 1)
  else if (isObject(container) && Object.hasOwn(container, key)) delete container[key]
  else throw new NotApplicable()
}

/** Negative positions count from the end, as the original allows. */
function index(list: readonly unknown[], part: string, last: number): number {
  if (!/^(-?[1-9]\d*|0)$/.test(part)) throw new NotApplicable()
  const position = Number(part)
  const at = position < 0 ? list.length + position : position
  if (at < 0 || at > last) throw new NotApplicable()
  return at
}
