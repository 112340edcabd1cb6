/**
 * The order of a merged list.
 *
 * Items that an order names stand in that order; the others keep the order they had, each set in front of the
 * first named item that it preceded before. Items unknown to the list before count as preceding nothing, so
 * new items go first.
 */

/**
 * @param items the merged list, in any order
 * @param given the order wanted: items or stubs that hold the merge key
 * @param before the list as it was
 * @param identify what tells items apart
 */
export function inGivenOrder(
  items: readonly unknown[],
  given: readonly unknown[],
  before: readonly unknown[],
  identify: (item: unknown) => unknown,
): unknown[] {
  const key = (item: unknown): string => JSON.stringify(identify(item)) ?? 'undefined'
  const ranks = (list: readonly unknown[]): Map<string, number> => {
    const map = new Map<string, number>()
    list.forEach((item, i) => {
      const id = key(item)
      if (!map.has(id)) map.set(id, i)
    })
    return map
  }
  const givenRank = ranks(given)
  const beforeRank = ranks(before)
  const by =
    (rank: Map<string, number>) =>
    (a: unknown, b: unknown): number =>
      (rank.get(key(a)) ?? Infinity) - (rank.get(key(b)) ?? Infinity) || 0
  const named = items.filter((item) => givenRank.has(key(item))).sort(by(givenRank))
  const others = items.filter((item) => !givenRank.has(key(item))).sort(by(beforeRank))

  const result: unknown[] = []
  let [i, j] = [0, 0]
  while (i < others.length && j < named.length) {
    const left = beforeRank.get(key(others[i]))
    const right = beforeRank.get(key(named[j]))
    if (left !== undefined && right !== undefined && left < right) result.push(others[i++])
    else result.push(named[j++])
  }
  return [...result, ...others.slice(i), ...named.slice(j)]
}
