/**
 * The order of keys: by their UTF-8 bytes, as etcd sorts.
 *
 * JavaScript compares strings by UTF-16 code units. The two orders differ only where a surrogate meets a
 * unit from U+E000 on, so a key without such units can be compared with any other by the fast built-in
 * operator; `precedence` chooses once per operation.
 */

export type Precedes = (a: string, b: string) => boolean

const HIGH_UNIT = /[\ud800-\uffff]/
const LONE_SURROGATE = /\p{Surrogate}/u

/** The comparison to use when one side is `key`. */
export function precedence(key: string): Precedes {
  return HIGH_UNIT.test(key) ? byCodePoint : byCodeUnit
}

/** Whether the key survives being written as UTF-8. */
export function isWellFormed(key: string): boolean {
  return !HIGH_UNIT.test(key) || !LONE_SURROGATE.test(key)
}

/** For sorting arrays. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0
  return precedence(a)(a, b) ? -1 : 1
}

function byCodeUnit(a: string, b: string): boolean {
  return a < b
}

function byCodePoint(a: string, b: string): boolean {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) < rank(y)
  }
  return a.length < b.length
}

/** Moves surrogates (code points from U+10000 on) above the rest of the basic plane. */
function rank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800
  return unit >= 0xd800 ? unit + 0x2000 : unit
}
