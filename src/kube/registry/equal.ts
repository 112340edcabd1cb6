/** Comparison of JSON values. */

/** Same values, whatever the order of keys; an absent key equals `undefined`, not null. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return a.every((item, i) => equalJson(item, b[i]))
  }
  return equalExcept(a as Record<string, unknown>, b as Record<string, unknown>, [])
}

/** `equalJson` of two objects that looks away from some of their own fields. */
export function equalExcept(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
  ignored: readonly string[],
): boolean {
  for (const key in a) {
    if (!ignored.includes(key) && !equalJson(a[key], b[key])) return false
  }
  for (const key in b) {
    if (b[key] !== undefined && a[key] === undefined && !ignored.includes(key)) return false
  }
  return true
}
