/**
 * Stored objects kept parsed, with indexes: what the controllers of workloads and the simulated nodes read.
 *
 * One copy per resource, however many controllers follow it. A change of the storage is seen here before the write
 * that made it settles, so a controller that has written may rely on what it reads next. Objects are shared: clone
 * before changing.
 */
import { selectorFromLabelSelector, Selector, type LabelSelector } from '../../apimachinery/labels/index.js'
import { controllerOf } from '../../apimachinery/meta/accessors.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Objects, prefixOf } from '../objects.js'
import { parse } from '../registry/served.js'

export interface CollectionChange<T> {
  /** Undefined: it is gone. */
  object: Readonly<T> | undefined
  /** Undefined: it is new, or was there before anybody listened. */
  previous: Readonly<T> | undefined
}

type Listener<T> = (change: CollectionChange<T>) => void
type KeysOf<T> = (object: T) => Iterable<string>

const NOTHING: ReadonlySet<never> = new Set()

class Index<T> {
  readonly #sets = new Map<string, Set<T>>()

  constructor(private readonly keysOf: KeysOf<T>) {}

  add(object: T): void {
    for (const key of this.keysOf(object)) {
      const set = this.#sets.get(key)
      if (set) set.add(object)
      else this.#sets.set(key, new Set([object]))
    }
  }

  remove(object: T): void {
    for (const key of this.keysOf(object)) {
      const set = this.#sets.get(key)
      set?.delete(object)
      if (set?.size === 0) this.#sets.delete(key)
    }
  }

  get(key: string): ReadonlySet<T> {
    return this.#sets.get(key) ?? NOTHING
  }
}

export class Collection<T extends KubeObject> {
  readonly #objects = new Map<string, T>()
  readonly #listeners = new Set<Listener<T>>()
  readonly #indexes: Index<T>[] = []
  readonly #namespaces: Index<T>
  readonly #owners: Index<T>
  readonly #orphans: Index<T>
  #labels: Index<T> | undefined
  readonly #stop: () => void

  constructor(objects: Objects, group: string, resource: string) {
    this.#namespaces = this.#indexed(({ metadata: { namespace = '' } }) => [namespace])
    this.#owners = this.#indexed((object) => {
      const owner = controllerOf(object)
      return owner ? [owner.uid] : []
    })
    this.#orphans = this.#indexed((object) => (controllerOf(object) ? [] : [object.metadata.namespace ?? '']))
    this.#stop = objects.followEntries(`${prefixOf(group, resource)}/`, ({ type, key, value }) =>
      this.#apply(key, type === 'put' ? value : undefined),
    )
  }

  get size(): number {
    return this.#objects.size
  }

  get(namespace: string, name: string): Readonly<T> | undefined {
    return this.#objects.get(namespace === '' ? name : `${namespace}/${name}`)
  }

  all(): Iterable<Readonly<T>> {
    return this.#objects.values()
  }

  inNamespace(namespace: string): Iterable<Readonly<T>> {
    return this.#namespaces.get(namespace)
  }

  /** Those whose controller has that uid. */
  ownedBy(uid: string): ReadonlySet<Readonly<T>> {
    return this.#owners.get(uid)
  }

  /** Those without a controller. */
  orphans(namespace: string): ReadonlySet<Readonly<T>> {
    return this.#orphans.get(namespace)
  }

  /** Found by the label that fewest objects have, where the selector asks for one. */
  select(namespace: string, selector: Selector): Readonly<T>[] {
    if (selector.matchesNothing) return []
    let candidates: Iterable<T> = this.#namespaces.get(namespace)
    let least = Infinity
    this.#labels ??= this.#lateIndex(labelKeys)
    for (const { key, operator, values } of selector.requirements) {
      if (operator !== '=' && operator !== '==' && !(operator === 'in' && values.length === 1)) continue
      const set = this.#labels.get(`${namespace}/${key}=${values[0] ?? ''}`)
      if (set.size < least) [candidates, least] = [set, set.size]
    }
    return [...candidates].filter(({ metadata }) => selector.matches(metadata.labels))
  }

  /** A further index, over what is there already too. @returns how to ask it */
  indexedBy(keysOf: KeysOf<T>): (key: string) => ReadonlySet<Readonly<T>> {
    const index = this.#lateIndex(keysOf)
    return (key) => index.get(key)
  }

  /** Calls the listener for each object there is, then for each change, in order. @returns stop */
  follow(listener: Listener<T>): () => void {
    for (const object of this.#objects.values()) listener({ object, previous: undefined })
    return this.onChange(listener)
  }

  onChange(listener: Listener<T>): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#stop()
    this.#listeners.clear()
  }

  #indexed(keysOf: KeysOf<T>): Index<T> {
    const index = new Index(keysOf)
    this.#indexes.push(index)
    return index
  }

  #lateIndex(keysOf: KeysOf<T>): Index<T> {
    const index = this.#indexed(keysOf)
    for (const object of this.#objects.values()) index.add(object)
    return index
  }

  #apply(key: string, value: Buffer | undefined): void {
    const id = key.split('/').slice(4).join('/')
    const previous = this.#objects.get(id)
    const object = value && (parse(value) as T)
    // Nobody here asks who owns which field; it is a third of the object.
    if (object) delete object.metadata.managedFields
    for (const index of this.#indexes) {
      if (previous) index.remove(previous)
      if (object) index.add(object)
    }
    if (object) this.#objects.set(id, object)
    else this.#objects.delete(id)
    for (const listener of this.#listeners) listener({ object, previous })
  }
}

function* labelKeys({ metadata: { namespace = '', labels = {} } }: KubeObject): Iterable<string> {
  for (const [key, value] of Object.entries(labels)) yield `${namespace}/${key}=${value}`
}

/** All collections, each made when first asked for. */
export class Collections {
  readonly #made = new Map<string, Collection<KubeObject>>()

  constructor(private readonly objects: Objects) {}

  of<T extends KubeObject>(group: string, resource: string): Collection<T> {
    const key = `${group}/${resource}`
    let made = this.#made.get(key)
    if (!made) this.#made.set(key, (made = new Collection<KubeObject>(this.objects, group, resource)))
    return made as unknown as Collection<T>
  }

  close(): void {
    for (const collection of this.#made.values()) collection.close()
  }
}

const compiled = new WeakMap<object, Selector>()
const NEVER = new Selector([], true)

/** The selector of a stored object, worked out once. A missing one selects nothing. */
export function selectorOf(selector: LabelSelector | null | undefined): Selector {
  if (!selector) return NEVER
  let known = compiled.get(selector)
  if (!known) compiled.set(selector, (known = selectorFromLabelSelector(selector)))
  return known
}

const maps = new WeakMap<object, Selector>()

/** The same of a plain map of labels, as services and replication controllers have; empty selects nothing. */
export function selectorOfMap(labels: Readonly<Record<string, string>> | undefined): Selector {
  if (!labels || Object.keys(labels).length === 0) return NEVER
  let known = maps.get(labels)
  if (!known) maps.set(labels, (known = selectorFromLabelSelector({ matchLabels: labels })))
  return known
}
