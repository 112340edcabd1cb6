/**
 * What the list engine knows of one kind: where it is, what is kept of each object for filters, and what its
 * filters, sort keys and decorations are. The tables of resources.md §3.3 and §3.4 become values of this type.
 */
import { type CacheOptions, type CachedObject, type Store } from '../client/cache/interface.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type ListQuery } from './query.js'

/** The stores of all kinds, by plural name. */
export interface Stores {
  /** Ready to read: its first list is complete. */
  of<Fields>(kind: KindDefinition<Fields>): Store<Fields>
  now(): Date
}

/** One filter of a query, applied. */
export interface FilterPlan<Fields> {
  matches(object: CachedObject<Fields>): boolean
  /** A superset of the matches, from an index, when there is one. */
  candidates?: Iterable<CachedObject<Fields>>
  /** Whether an object matches depends on the object alone: not on others, and not on the time. */
  isSettled?: boolean
}

export interface ListScope<Fields> {
  store: Store<Fields>
  /** Undefined: all namespaces. */
  namespace: string | undefined
  /** The namespace of the path, also for kinds that ignore it. */
  requested: string | undefined
  stores: Stores
}

export type Filter<Fields> = (value: string, scope: ListScope<Fields>) => FilterPlan<Fields>

/** Objects chosen by something else than a scan of the store, such as the members of a workspace. */
export interface Source<Fields> {
  objects: CachedObject<Fields>[]
  /** Filter keys that the source has dealt with. */
  consumed: readonly string[]
  /** Whether the label selector of the query still counts; by default the source takes its place. */
  selectable?: boolean
  /** Annotations for each object of the answer; they can be filtered by. */
  annotate?(object: CachedObject<Fields>): Readonly<Record<string, string>>
}

export interface KindDefinition<Fields = unknown> {
  /** Plural, as in the path. */
  resource: string
  group: string
  /** The first one that the cluster serves is read. */
  versions: readonly string[]
  namespaced: boolean
  /** How a missing object is called: `deployment.apps "x" not found`. */
  singular: string
  cache?: CacheOptions<Fields>
  filters?: Readonly<Record<string, Filter<Fields>>>
  /** Ascending comparers; keys not listed sort by creation time. */
  sorts?: Readonly<Record<string, (a: CachedObject<Fields>, b: CachedObject<Fields>) => number>>
  /** Replaces the default filters: unknown keys pass instead of matching nothing. */
  unknownFiltersPass?: boolean
  /** Other objects than all of the namespace; undefined: the ordinary ones. @throws StatusError */
  source?(query: ListQuery, scope: ListScope<Fields>): Source<Fields> | undefined
  /** Annotations that exist only in answers and can be filtered by. */
  annotations?(
    object: CachedObject<Fields>,
    stores: Stores,
    single: boolean,
  ): Readonly<Record<string, string>>
  /** Last change to an object of the answer: a copy that may be modified. `single` for a get. */
  decorate?(object: KubeObject, cached: CachedObject<Fields>, stores: Stores, single: boolean): void
  /**
   * Names what `decorate` does, where that depends on the object, its annotations above and this text alone; what it made
   * is then kept for the next who asks. Without it, it is done each time.
   */
  dependsOn?(cached: CachedObject<Fields>, single: boolean): string
  /** Served by the older getters' rules; see kinds/fallback.ts. */
  legacy?: boolean
  /** True for kinds whose cache ignores the namespace of the path. */
  ignoresNamespace?: boolean
}

/** A kind with its type erased, as the table keeps it. */
export type AnyKind = KindDefinition<never>

export function kind<Fields = unknown>(definition: KindDefinition<Fields>): AnyKind {
  return definition as unknown as AnyKind
}

/** A filter that looks at the extracted fields alone. */
export function byField<Fields>(accept: (fields: Fields, value: string) => boolean): Filter<Fields> {
  return (value) => ({ matches: ({ fields }) => accept(fields, value), isSettled: true })
}

/** Reads a path of an object whose shape is not trusted. */
export function read(object: unknown, ...path: (string | number)[]): unknown {
  let value = object
  for (const key of path) {
    if (value === null || typeof value !== 'object') return undefined
    value = (value as Record<string | number, unknown>)[key]
  }
  return value
}

export function textAt(object: unknown, ...path: (string | number)[]): string {
  const value = read(object, ...path)
  return typeof value === 'string' ? value : ''
}

export function numberAt(object: unknown, ...path: (string | number)[]): number {
  const value = read(object, ...path)
  return typeof value === 'number' ? value : 0
}

export function listAt(object: unknown, ...path: (string | number)[]): unknown[] {
  const value = read(object, ...path)
  return Array.isArray(value) ? (value as unknown[]) : []
}

/** Milliseconds of an RFC 3339 time; 0 when there is none. */
export function timeAt(object: unknown, ...path: (string | number)[]): number {
  const value = Date.parse(textAt(object, ...path))
  return Number.isNaN(value) ? 0 : value
}
