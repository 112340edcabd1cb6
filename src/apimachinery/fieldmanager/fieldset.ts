/**
 * A set of field paths, as a trie. What is owned at a path itself is a member; what is owned below it is a child.
 *
 * Sets are immutable to their users: operations return new ones and share what did not change. A set that comes from
 * storage is unfolded branch by branch as somebody looks at it, and what nobody looked at goes back as it came: a
 * write touches few branches of the hundreds of fields that an object's managers own.
 */
import { isObject, type JsonObject, setOwn } from '../json/value.js'
import { compareElements, type Element } from './element.js'

export class FieldSet {
  readonly #ownMembers = new Set<Element>()
  readonly #ownChildren = new Map<Element, FieldSet>()
  /** The wire form, as long as it has not been unfolded or says the same as what was unfolded. */
  readonly #wire: JsonObject | undefined
  #folded: boolean

  private constructor(wire?: JsonObject) {
    this.#wire = wire
    this.#folded = wire !== undefined
  }

  static empty(): FieldSet {
    return new FieldSet()
  }

  get #members(): Set<Element> {
    if (this.#folded) this.#unfold()
    return this.#ownMembers
  }

  get #children(): Map<Element, FieldSet> {
    if (this.#folded) this.#unfold()
    return this.#ownChildren
  }

  #unfold(): void {
    this.#folded = false
    const wire = this.#wire ?? {}
    for (const element in wire) {
      const value = wire[element]
      if (element === '.' || !isObject(value)) continue
      const size = Object.keys(value).length
      const owned = Object.hasOwn(value, '.')
      if (owned || size === 0) this.#ownMembers.add(element)
      if (size > (owned ? 1 : 0)) this.#ownChildren.set(element, new FieldSet(value))
    }
  }

  static of(...paths: readonly (readonly Element[])[]): FieldSet {
    const set = new FieldSet()
    for (const path of paths) set.insert(path)
    return set
  }

  /** Only while a set is being built. The empty path is no field and is ignored. */
  insert(path: readonly Element[]): void {
    let at = this as FieldSet
    for (const [i, element] of path.entries()) {
      if (i === path.length - 1) {
        at.#members.add(element)
        return
      }
      let child = at.#children.get(element)
      if (child === undefined) at.#children.set(element, (child = new FieldSet()))
      at = child
    }
  }

  get isEmpty(): boolean {
    return this.#members.size === 0 && this.#children.size === 0
  }

  has(element: Element): boolean {
    return this.#members.has(element)
  }

  /** What is owned below. */
  below(element: Element): FieldSet | undefined {
    return this.#children.get(element)
  }

  union(other: FieldSet): FieldSet {
    if (other.isEmpty || other === this) return this
    if (this.isEmpty) return other
    const result = new FieldSet()
    for (const each of this.#members) result.#members.add(each)
    for (const each of other.#members) result.#members.add(each)
    for (const [element, child] of this.#children) {
      const theirs = other.#children.get(element)
      result.#children.set(element, theirs === undefined ? child : child.union(theirs))
    }
    for (const [element, child] of other.#children) {
      if (!this.#children.has(element)) result.#children.set(element, child)
    }
    return result
  }

  intersection(other: FieldSet): FieldSet {
    if (other === this) return this
    const result = new FieldSet()
    for (const each of this.#members) if (other.#members.has(each)) result.#members.add(each)
    for (const [element, child] of this.#children) {
      const theirs = other.#children.get(element)
      if (theirs !== undefined) result.#adopt(element, child.intersection(theirs))
    }
    return result
  }

  /** Without the paths of `other`; what lies below them stays. */
  difference(other: FieldSet): FieldSet {
    if (other.isEmpty) return this
    const result = new FieldSet()
    let changed = false
    for (const each of this.#members) {
      if (other.#members.has(each)) changed = true
      else result.#members.add(each)
    }
    for (const [element, child] of this.#children) {
      const theirs = other.#children.get(element)
      const kept = theirs === undefined ? child : child.difference(theirs)
      if (kept !== child) changed = true
      result.#adopt(element, kept)
    }
    return changed ? result : this
  }

  #adopt(element: Element, child: FieldSet): void {
    if (!child.isEmpty) this.#children.set(element, child)
  }

  equals(other: FieldSet): boolean {
    if (other === this) return true
    if (this.#members.size !== other.#members.size || this.#children.size !== other.#children.size) {
      return false
    }
    for (const each of this.#members) if (!other.#members.has(each)) return false
    for (const [element, child] of this.#children) {
      const theirs = other.#children.get(element)
      if (theirs === undefined || !child.equals(theirs)) return false
    }
    return true
  }

  #elements(): Element[] {
    return [...new Set([...this.#members, ...this.#children.keys()])].sort(compareElements)
  }

  /** All paths, a path before those below it. */
  paths(prefix: readonly Element[] = []): Element[][] {
    return this.#elements().flatMap((element) => {
      const path = [...prefix, element]
      return [
        ...(this.#members.has(element) ? [path] : []),
        ...(this.#children.get(element)?.paths(path) ?? []),
      ]
    })
  }

  /** The wire form, FieldsV1. */
  encode(): JsonObject {
    if (this.#wire !== undefined) return this.#wire
    const result: JsonObject = {}
    for (const element of this.#elements()) {
      const child = this.#children.get(element)
      const own = this.#members.has(element)
      setOwn(result, element, child === undefined ? {} : { ...(own && { '.': {} }), ...child.encode() })
    }
    return result
  }

  /** Reads FieldsV1 that `encode` has written; it must not be changed afterwards. */
  static stored(fields: unknown): FieldSet {
    return isObject(fields) ? new FieldSet(fields) : new FieldSet()
  }

  /** Reads FieldsV1 of somebody else; what is malformed is left out. */
  static decode(fields: unknown): FieldSet {
    const set = new FieldSet()
    if (!isObject(fields)) return set
    for (const [element, value] of Object.entries(fields)) {
      if (element === '.' || !/^[fkvi]:/.test(element) || !isObject(value)) continue
      const child = FieldSet.decode(value)
      if (Object.hasOwn(value, '.') || child.isEmpty) set.#members.add(element)
      set.#adopt(element, child)
    }
    return set
  }
}
