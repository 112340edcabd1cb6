/**
 * A set of field paths, as a trie. What is owned at a path itself is a member; what is owned below it is a child.
 *
 * Sets are immutable to their users: operations return new ones and share what did not change.
 */
import { isObject, type JsonObject, setOwn } from '../json/value.js'
import { compareElements, type Element } from './element.js'

export class FieldSet {
  readonly #members = new Set<Element>()
  readonly #children = new Map<Element, FieldSet>()

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
    if (other.isEmpty) return this
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
    for (const each of this.#members) if (!other.#members.has(each)) result.#members.add(each)
    for (const [element, child] of this.#children) {
      const theirs = other.#children.get(element)
      result.#adopt(element, theirs === undefined ? child : child.difference(theirs))
    }
    return result
  }

  #adopt(element: Element, child: FieldSet): void {
    if (!child.isEmpty) this.#children.set(element, child)
  }

  equals(other: FieldSet): boolean {
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
    const result: JsonObject = {}
    for (const element of this.#elements()) {
      const child = this.#children.get(element)
      const own = this.#members.has(element)
      setOwn(result, element, child === undefined ? {} : { ...(own && { '.': {} }), ...child.encode() })
    }
    return result
  }

  /** Reads FieldsV1; what is malformed is left out. */
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
