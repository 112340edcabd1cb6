/**
 * JSON merge patch, RFC 7386, and its inverse, the patch that leads from one object to another.
 */
import { badRequest } from '../errors/index.js'
import { equal, isObject, type JsonObject, own, setOwn } from '../json/value.js'

/**
 * @returns a new object; the inputs are not modified, unchanged parts are shared
 * @throws StatusError 400 when the patch is no object
 */
export function applyMergePatch<T extends object>(target: T, patch: unknown): T {
  if (!isObject(patch)) throw badRequest('Invalid JSON Patch')
  return merge(target, patch) as T
}

function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const result: JsonObject = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else setOwn(result, key, merge(own(result, key), value))
  }
  return result
}

/**
 * The smallest merge patch from `before` to `after`. Lists are replaced whole. A null inside `after` cannot be
 * expressed by a merge patch and comes out as absence.
 *
 * @returns undefined when nothing differs
 */
export function createMergePatch(before: object, after: object): JsonObject | undefined {
  const patch: JsonObject = {}
  const [from, to] = [before as JsonObject, after as JsonObject]
  for (const key of Object.keys(from)) {
    if (own(to, key) === undefined) setOwn(patch, key, null)
  }
  for (const [key, value] of Object.entries(to)) {
    const old = own(from, key)
    if (value === undefined || equal(old, value)) continue
    if (isObject(old) && isObject(value)) {
      const inner = createMergePatch(old, value)
      if (inner !== undefined) setOwn(patch, key, inner)
    } else setOwn(patch, key, value)
  }
  return Object.keys(patch).length === 0 ? undefined : patch
}
