/**
 * Answers a list from the indexes of a store.
 *
 * Without a filter a page is a slice of an order that the store keeps. With filters the smallest set that an index
 * offers is narrowed and sorted; when that set is a large part of the store, or no index helps, the kept order is
 * walked once with cheap predicates. Objects are handed on as the bytes they arrived in; only kinds that decorate
 * their answers parse, and only the page.
 */
import { type CachedObject, type OrderedView, type Store } from '../client/cache/interface.js'
import { own } from '../apimachinery/json/value.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { planFilter } from './filters.js'
import { type AnyKind, type FilterPlan, type ListScope, type Source, type Stores } from './kind.js'
import { pageBounds, type ListQuery } from './query.js'
import { RecentlyMade } from './recent.js'

type Cached = CachedObject<never>
type Comparer = (a: Cached, b: Cached) => number

export interface Page {
  /** Each object as JSON. */
  items: Uint8Array[]
  /** Matches before paging. */
  total: number
  /** Of what the items are made of, where that is known: equal versions mean equal items. */
  versions?: string[]
}

/** Beyond this share of the store, sorting the matches costs more than walking the kept order. */
const WALK_FROM_SHARE = 1 / 16
const ALWAYS_SORT_UP_TO = 256

/**
 * @param namespace of namespaced kinds; undefined: all of them
 * @param chosen the objects to choose from, such as those a user may see, in place of the kind's own choice
 */
export function listPage(
  kind: AnyKind,
  query: ListQuery,
  namespace: string | undefined,
  stores: Stores,
  chosen?: Source<never>,
): Page {
  const store = stores.of<never>(kind)
  const scope: ListScope<never> = {
    store,
    namespace: kind.ignoresNamespace ? undefined : namespace,
    requested: namespace,
    stores,
  }
  const source = chosen ?? kind.source?.(query, scope)
  const plans = plansOf(kind, query, scope, source)
  const { objects, total } = select(kind, query, scope, source, plans)
  if (isDecorated(kind, source)) {
    const made = objects.map((object) => decorated(kind, object, stores, false, source))
    const versions = made.flatMap(({ version }) => version ?? [])
    return {
      items: made.map(({ bytes }) => bytes),
      total,
      ...(versions.length === made.length && { versions }),
    }
  }
  return {
    items: objects.map(({ bytes }) => bytes),
    total,
    versions: objects.map(versionOf),
  }
}

/** The name and version tell objects of one API apart, the hash of the uid those of a cluster that has been set up anew. */
function versionOf({ namespace, name, uidHash, resourceVersion }: Cached): string {
  return `${namespace}/${name}/${uidHash}/${resourceVersion}`
}

/** One object as JSON, decorated as the kind wants. */
export function renderObject(kind: AnyKind, object: Cached, stores: Stores): Uint8Array {
  return isDecorated(kind, undefined) ? decorated(kind, object, stores, true, undefined).bytes : object.bytes
}

function plansOf(
  kind: AnyKind,
  query: ListQuery,
  scope: ListScope<never>,
  source: Source<never> | undefined,
): FilterPlan<never>[] {
  const plans: FilterPlan<never>[] = []
  const { labelSelector } = query
  const selectable = source ? source.selectable === true : !kind.legacy
  if (labelSelector && selectable) plans.push(selectorPlan(labelSelector, scope.store))
  for (const [key, value] of query.filters) {
    if (!source?.consumed.includes(key)) plans.push(planFilter(kind, key, value, scope, source))
  }
  return plans
}

function selectorPlan(
  selector: NonNullable<ListQuery['labelSelector']>,
  store: Store<never>,
): FilterPlan<never> {
  const matches = ({ labels }: Cached): boolean => selector.matches(labels)
  const isSettled = true
  for (const { key, operator, values } of selector.requirements) {
    const [only] = values
    if (
      (operator === '=' || operator === '==' || operator === 'in') &&
      values.length === 1 &&
      only !== undefined
    ) {
      return { matches, isSettled, candidates: store.byLabel(key, only) }
    }
  }
  return { matches, isSettled }
}

function select(
  kind: AnyKind,
  query: ListQuery,
  { store, namespace }: ListScope<never>,
  source: Source<never> | undefined,
  plans: readonly FilterPlan<never>[],
): { objects: Cached[]; total: number } {
  const matches = (object: Cached): boolean => plans.every((plan) => plan.matches(object))
  const custom = kind.sorts && own(kind.sorts, query.sortBy)
  const byName = query.sortBy === 'name' || kind.legacy === true
  const ordered = byName ? store.byName(namespace) : store.byCreation(namespace)
  const comparer = byName ? byNameAscending : byCreationAscending

  if (source) return sorted(source.objects.filter(matches), query, custom ?? comparer)
  if (custom) {
    return sorted(plans.length === 0 ? [...ordered] : [...ordered].filter(matches), query, custom)
  }
  if (plans.length === 0) return sliced(ordered, query)
  if (plans.every(({ isSettled }) => isSettled)) {
    const kept = store.narrowed(keyOf(query), matches, byName ? 'name' : 'creation', namespace)
    if (kept) return sliced(kept, query)
  }
  const most = Math.max(ALWAYS_SORT_UP_TO, ordered.length * WALK_FROM_SHARE)
  for (const { candidates } of plans) {
    if (!candidates) continue
    const found = collect(candidates, (object) => inNamespace(object, namespace) && matches(object), most)
    if (found) return sorted(found, query, comparer)
  }
  return walk(query.ascending ? ordered : ordered.reversed(), matches, query)
}

/** A page of an order that is kept. */
function sliced(ordered: OrderedView<never>, query: ListQuery): { objects: Cached[]; total: number } {
  const total = ordered.length
  const [start, end] = pageBounds(query, total)
  if (query.ascending) return { objects: ordered.slice(start, end), total }
  return { objects: ordered.slice(total - end, total - start).reverse(), total }
}

/** Equal for queries that choose the same objects. */
function keyOf({ filters, labelSelector }: ListQuery): string {
  return JSON.stringify([[...filters].sort(([a], [b]) => compareText(a, b)), labelSelector?.requirements])
}

function inNamespace(object: Cached, namespace: string | undefined): boolean {
  return namespace === undefined || object.namespace === namespace
}

/** @returns undefined when more than `most` candidates came up */
function collect(
  candidates: Iterable<Cached>,
  matches: (object: Cached) => boolean,
  most: number,
): Cached[] | undefined {
  const found: Cached[] = []
  let seen = 0
  for (const object of candidates) {
    if (++seen > most) return undefined
    if (matches(object)) found.push(object)
  }
  return found
}

function walk(
  order: Iterable<Cached>,
  matches: (object: Cached) => boolean,
  query: ListQuery,
): { objects: Cached[]; total: number } {
  const [start, end] = pageBounds(query, Number.MAX_SAFE_INTEGER)
  const objects: Cached[] = []
  let total = 0
  for (const object of order) {
    if (!matches(object)) continue
    if (total >= start && total < end) objects.push(object)
    total++
  }
  return { objects, total }
}

function sorted(
  objects: Cached[],
  query: ListQuery,
  ascending: Comparer,
): { objects: Cached[]; total: number } {
  objects.sort(query.ascending ? ascending : (a, b) => ascending(b, a))
  const [start, end] = pageBounds(query, objects.length)
  return { objects: objects.slice(start, end), total: objects.length }
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export const byNameAscending = (
  a: Pick<Cached, 'name' | 'namespace'>,
  b: Pick<Cached, 'name' | 'namespace'>,
): number => compareText(a.name, b.name) || compareText(a.namespace, b.namespace)

export const byCreationAscending = (
  a: Pick<Cached, 'creationTimestamp' | 'name' | 'namespace'>,
  b: Pick<Cached, 'creationTimestamp' | 'name' | 'namespace'>,
): number => a.creationTimestamp - b.creationTimestamp || byNameAscending(a, b)

function isDecorated(kind: AnyKind, source: Source<never> | undefined): boolean {
  return kind.decorate !== undefined || kind.annotations !== undefined || source?.annotate !== undefined
}

interface Decorated {
  bytes: Uint8Array
  /** As of a page. */
  version?: string
}

/** What was decorated lately. Parsing and writing ten users took as long as all else of their page. */
const recent = new RecentlyMade<Uint8Array>()

function decorated(
  kind: AnyKind,
  cached: Cached,
  stores: Stores,
  single: boolean,
  source: Source<never> | undefined,
): Decorated {
  const extra = { ...kind.annotations?.(cached, stores, single), ...source?.annotate?.(cached) }
  const besides = kind.decorate ? kind.dependsOn?.(cached, single) : ''
  if (besides === undefined) return { bytes: rewritten(kind, cached, extra, stores, single) }
  const version = `${kind.group}/${kind.resource}/${versionOf(cached)}/${besides}/${JSON.stringify(extra)}`
  const kept = recent.get(version)
  if (kept !== undefined) return { bytes: kept, version }
  const bytes = recent.keep(version, [rewritten(kind, cached, extra, stores, single)], (copy) => copy)
  return { bytes, version }
}

function rewritten(
  kind: AnyKind,
  cached: Cached,
  extra: Readonly<Record<string, string>>,
  stores: Stores,
  single: boolean,
): Uint8Array {
  const object = JSON.parse(cached.bytes.toString('utf8')) as KubeObject
  if (Object.keys(extra).length > 0)
    object.metadata.annotations = { ...object.metadata.annotations, ...extra }
  kind.decorate?.(object, cached, stores, single)
  return Buffer.from(JSON.stringify(object))
}
