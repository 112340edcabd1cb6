/**
 * Sets that mostly have one member or a few, of which there are many thousand: one member is the set itself, some are an
 * array of exactly their number. A `Set` of one takes 150 bytes.
 *
 * Functions instead of a class, so that nothing is around a single member. An array is never changed: whoever walks over
 * it sees the moment in which it began.
 */

/** Members are strings, or objects that are neither arrays nor sets. */
export type Few<Item> = Item | readonly Item[] | Set<Item>

const MOST = 32

export function withOne<Item>(few: Few<Item> | undefined, item: Item): Few<Item> {
  if (few === undefined || few === item) return item
  if (few instanceof Set) return few.add(item)
  if (!isArray(few)) return [few, item]
  if (few.includes(item)) return few
  return few.length < MOST ? [...few, item] : new Set(few).add(item)
}

/** @returns undefined when none is left */
export function withoutOne<Item>(few: Few<Item> | undefined, item: Item): Few<Item> | undefined {
  if (few === undefined || few === item) return undefined
  if (few instanceof Set) {
    few.delete(item)
    return few.size === 0 ? undefined : few
  }
  if (!isArray(few) || !few.includes(item)) return few
  const left = few.filter((each) => each !== item)
  return left.length === 1 ? left[0] : left.slice()
}

export function sizeOfFew<Item>(few: Few<Item> | undefined): number {
  if (few === undefined) return 0
  if (few instanceof Set) return few.size
  return isArray(few) ? few.length : 1
}

export function eachOf<Item>(few: Few<Item> | undefined): Iterable<Item> {
  if (few === undefined) return []
  return few instanceof Set || isArray(few) ? few : [few]
}

function isArray<Item>(few: Few<Item>): few is readonly Item[] {
  return Array.isArray(few)
}
