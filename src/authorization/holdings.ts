/**
 * The reverse of `Grants`: in which places does somebody hold anything? Answers cost what the subject holds, however
 * many places there are.
 */
import { type UserInfo } from '../apimachinery/meta/types.js'
import { type Holder } from './bindings.js'

export class Holdings {
  /** Subject → place → how many bindings name the subject there. */
  readonly #users = new Map<string, Map<string, number>>()
  readonly #groups = new Map<string, Map<string, number>>()

  add({ of, name }: Holder, place: string): void {
    const subjects = this.#subjects(of)
    const places = subjects.get(name) ?? new Map<string, number>()
    places.set(place, (places.get(place) ?? 0) + 1)
    subjects.set(name, places)
  }

  remove({ of, name }: Holder, place: string): void {
    const subjects = this.#subjects(of)
    const places = subjects.get(name)
    const count = places?.get(place)
    if (places === undefined || count === undefined) return
    if (count > 1) places.set(place, count - 1)
    else places.delete(place)
    if (places.size === 0) subjects.delete(name)
  }

  /** Through bindings of the user and of any of the groups, whether or not the bound role exists. */
  placesOf({ name, groups }: UserInfo): Set<string> {
    const places = new Set(this.#users.get(name)?.keys())
    for (const group of groups) for (const place of this.#groups.get(group)?.keys() ?? []) places.add(place)
    return places
  }

  #subjects(of: Holder['of']): Map<string, Map<string, number>> {
    return of === 'users' ? this.#users : this.#groups
  }
}
