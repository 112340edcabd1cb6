/**
 * A persistent ordered map from keys to entries: a B+ tree whose nodes never change.
 *
 * A write copies the path from root to leaf and shares the rest, so every revision keeps its own root at the
 * price of a few small arrays. Reading the past, paging a snapshot and writing one to disk in the background
 * are then plain reads of an old root; dropping the root frees what only it held.
 *
 * Every node knows how many entries are below it: ranks, and with them `count(prefix)` and the number of
 * keys behind a page, cost one walk down.
 */
import { type KeyValue } from './interface.js'
import { precedence, type Precedes } from './order.js'

const MAX_WIDTH = 24
const MIN_WIDTH = 6
const NO_ENTRIES: readonly KeyValue[] = []
const NO_CHILDREN: readonly Tree[] = []

/** A node, and the whole map when it is the root. A leaf has entries, a branch has children. */
export class Tree {
  private constructor(
    readonly entries: readonly KeyValue[],
    readonly children: readonly Tree[],
    readonly size: number,
    readonly min: string,
  ) {}

  static readonly empty = new Tree(NO_ENTRIES, NO_CHILDREN, 0, '')

  static leaf(entries: readonly KeyValue[]): Tree {
    return new Tree(entries, NO_CHILDREN, entries.length, entries[0]?.key ?? '')
  }

  static branch(children: readonly Tree[]): Tree {
    let size = 0
    for (const child of children) size += child.size
    return new Tree(NO_ENTRIES, children, size, children[0]?.min ?? '')
  }
}

/** Builds a tree from entries already in ascending order, without duplicates. */
export function build(sorted: readonly KeyValue[]): Tree {
  let level = pack(sorted).map((entries) => Tree.leaf(entries))
  while (level.length > 1) level = pack(level).map((children) => Tree.branch(children))
  return level[0] ?? Tree.empty
}

export function lookup(root: Tree, key: string): KeyValue | undefined {
  const precedes = precedence(key)
  let node = root
  while (node.children.length > 0) node = node.children[childFor(node.children, key, precedes)]!
  const found = node.entries[position(node.entries, key, precedes)]
  return found?.key === key ? found : undefined
}

/** The tree with the entry added, or in the place of the one with its key. */
export function insert(root: Tree, entry: KeyValue): Tree {
  const after = insertInto(root, entry, precedence(entry.key))
  return width(after) > MAX_WIDTH ? Tree.branch(halves(after)) : after
}

/** The tree without the key. */
export function remove(root: Tree, key: string): Tree {
  let after = removeFrom(root, key, precedence(key))
  while (after.children.length === 1) after = after.children[0]!
  return after.size === 0 ? Tree.empty : after
}

/** Number of keys before `key`. */
export function rankOf(root: Tree, key: string): number {
  const precedes = precedence(key)
  return rankWhile(root, (candidate) => precedes(candidate, key))
}

/** Number of keys before the first one that is behind all keys with the prefix. */
export function rankBehind(root: Tree, prefix: string): number {
  const precedes = precedence(prefix)
  return rankWhile(root, (candidate) => precedes(candidate, prefix) || candidate.startsWith(prefix))
}

/** The entries with ranks `from` (inclusive) to `to` (exclusive). */
export function slice(root: Tree, from: number, to: number): KeyValue[] {
  const out: KeyValue[] = []
  collect(root, from, to, out)
  return out
}

/** All entries in order, one leaf at a time. */
export function* leaves(root: Tree): Generator<readonly KeyValue[]> {
  if (root.children.length === 0) yield root.entries
  else for (const child of root.children) yield* leaves(child)
}

/** Rank of the first key for which `isBefore`, true for a leading run of keys, is false. */
function rankWhile(root: Tree, isBefore: (key: string) => boolean): number {
  let rank = 0
  let node = root
  while (node.children.length > 0) {
    // The boundary lies in the last child that starts before it; all children to its left count whole.
    const { children } = node
    let index = partition(children.length, (i) => isBefore(children[i]!.min)) - 1
    if (index < 0) index = 0
    for (let i = 0; i < index; i++) rank += children[i]!.size
    node = children[index]!
  }
  const { entries } = node
  return rank + partition(entries.length, (i) => isBefore(entries[i]!.key))
}

function collect(node: Tree, from: number, to: number, out: KeyValue[]): void {
  if (node.children.length === 0) {
    const end = Math.min(to, node.entries.length)
    for (let i = Math.max(from, 0); i < end; i++) out.push(node.entries[i]!)
    return
  }
  let start = 0
  for (const child of node.children) {
    if (start >= to) return
    if (start + child.size > from) collect(child, from - start, to - start, out)
    start += child.size
  }
}

function insertInto(node: Tree, entry: KeyValue, precedes: Precedes): Tree {
  if (node.children.length === 0) {
    const at = position(node.entries, entry.key, precedes)
    const replaced = node.entries[at]?.key === entry.key ? 1 : 0
    return Tree.leaf(spliced(node.entries, at, replaced, entry))
  }
  const at = childFor(node.children, entry.key, precedes)
  const child = insertInto(node.children[at]!, entry, precedes)
  if (width(child) <= MAX_WIDTH) return Tree.branch(spliced(node.children, at, 1, child))
  const [left, right] = halves(child)
  return Tree.branch(spliced(node.children, at, 1, left, right))
}

function removeFrom(node: Tree, key: string, precedes: Precedes): Tree {
  if (node.children.length === 0) {
    const at = position(node.entries, key, precedes)
    return node.entries[at]?.key === key ? Tree.leaf(spliced(node.entries, at, 1)) : node
  }
  const at = childFor(node.children, key, precedes)
  const before = node.children[at]!
  const child = removeFrom(before, key, precedes)
  if (child === before) return node
  if (width(child) === 0) return Tree.branch(spliced(node.children, at, 1))
  if (width(child) >= MIN_WIDTH || node.children.length === 1) {
    return Tree.branch(spliced(node.children, at, 1, child))
  }

  // Too narrow: pool it with a neighbour, and share out again when that is too wide.
  const first = at > 0 ? at - 1 : at
  const pooled = at > 0 ? join(node.children[first]!, child) : join(child, node.children[at + 1]!)
  return width(pooled) > MAX_WIDTH
    ? Tree.branch(spliced(node.children, first, 2, ...halves(pooled)))
    : Tree.branch(spliced(node.children, first, 2, pooled))
}

function width(node: Tree): number {
  return node.children.length || node.entries.length
}

function halves(node: Tree): [Tree, Tree] {
  const middle = width(node) >> 1
  return node.children.length > 0
    ? [Tree.branch(node.children.slice(0, middle)), Tree.branch(node.children.slice(middle))]
    : [Tree.leaf(node.entries.slice(0, middle)), Tree.leaf(node.entries.slice(middle))]
}

function join(left: Tree, right: Tree): Tree {
  return left.children.length > 0
    ? Tree.branch([...left.children, ...right.children])
    : Tree.leaf([...left.entries, ...right.entries])
}

/** Index of the child whose range holds the key. */
function childFor(children: readonly Tree[], key: string, precedes: Precedes): number {
  let low = 1
  let high = children.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (precedes(key, children[middle]!.min)) high = middle
    else low = middle + 1
  }
  return low - 1
}

/** Index of the first entry that is not before the key. */
function position(entries: readonly KeyValue[], key: string, precedes: Precedes): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (precedes(entries[middle]!.key, key)) low = middle + 1
    else high = middle
  }
  return low
}

/** Number of leading indexes that satisfy a predicate which, once false, stays false. */
function partition(length: number, holds: (index: number) => boolean): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(middle)) low = middle + 1
    else high = middle
  }
  return low
}

/** A copy of exactly the needed size: these arrays are kept as long as the revision. */
function spliced<T>(items: readonly T[], at: number, drop: number, ...add: T[]): T[] {
  const out = new Array<T>(items.length - drop + add.length)
  for (let i = 0; i < at; i++) out[i] = items[i]!
  for (let i = 0; i < add.length; i++) out[at + i] = add[i]!
  const shift = add.length - drop
  for (let i = at + drop; i < items.length; i++) out[i + shift] = items[i]!
  return out
}

/** Cuts a list into runs that leave room for later inserts. */
function pack<T>(items: readonly T[]): T[][] {
  const runs = Math.ceil(items.length / (MAX_WIDTH - 4))
  const out: T[][] = []
  for (let run = 0; run < runs; run++) {
    const from = Math.floor((items.length * run) / runs)
    out.push(items.slice(from, Math.floor((items.length * (run + 1)) / runs)))
  }
  return out
}
