/** Comparison of objects that looks away from some fields. */
import { equal } from '../../apimachinery/json/value.js'

/** Same values in all fields but `ignored`; an absent field equals `undefined`, not null. */
export function equalExcept(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
  ignored: readonly string[],
): boolean {
  for (const key in a) {
    if (!ignored.includes(key) && !equal(a[key], b[key])) return false
  }
  for (const key in b) {
    if (b[key] !== undefined && a[key] === undefined && !ignored.includes(key)) return false
  }
  return true
}
