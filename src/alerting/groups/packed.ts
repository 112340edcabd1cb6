/** Spreads groups over objects that are small enough to be stored, and for an operator to pass on. */
import { type StoredGroup } from '../types.js'

/** 80 % of half a MiB. */
const LIMIT_BYTES = Math.floor(0.8 * 0.5 * 1024 * 1024)

/**
 * A group stays where it is while there is room: a ruler that finds it in another file forgets its alerts.
 *
 * @param placed name of a group → number of the object that it is in
 * @returns number of an object → its groups, by name
 */
export function packed(
  groups: readonly StoredGroup[],
  placed: ReadonlyMap<string, number>,
  limit = LIMIT_BYTES,
): Map<number, StoredGroup[]> {
  const objects = new Map<number, StoredGroup[]>()
  const sizes = new Map<number, number>()
  const put = (group: StoredGroup, number: number): boolean => {
    const size = Buffer.byteLength(JSON.stringify(group))
    const before = sizes.get(number) ?? 0
    // One that is too large for any object has one to itself.
    if (before > 0 && before + size > limit) return false
    sizes.set(number, before + size)
    objects.set(number, [...(objects.get(number) ?? []), group])
    return true
  }
  const ordered = [...groups].sort((a, b) => (a.name < b.name ? -1 : 1))
  const moving = ordered.filter((group) => {
    const number = placed.get(group.name)
    return number === undefined || !put(group, number)
  })
  for (const group of moving) for (let number = 0; !put(group, number);) number += 1
  for (const list of objects.values()) list.sort((a, b) => (a.name < b.name ? -1 : 1))
  return objects
}
